//! The two streams to the host: one JSON object a line, and word of what was flushed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{
    ClientNotification, ClientRequest, ErrorData, GetMeta, JsonRpcMessage, ProtocolVersion,
    RequestId,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, Empty};

use crate::desk::Desk;
use crate::limits::LINE_BYTES;
use crate::lines::{Lines, Refused};

/// Tells the desk when a response has been flushed, and that the host is gone; tells the host what
/// was wrong with a line.
pub(crate) struct Flushing<R: AsyncRead, W: AsyncWrite> {
    lines: Lines<R>,
    output: AsyncRwTransport<RoleServer, Empty, W>,
    desk: Arc<Desk>,
    /// The revisions that the server serves.
    versions: &'static [ProtocolVersion],
    /// Whether a session has begun. A notification before that would end it.
    opened: bool,
    /// Requests that have no response yet.
    in_flight: HashSet<RequestId>,
    /// A refusal on its way: kept here, so that giving up a call loses nothing of it.
    refusing: Option<Refusing>,
}

type Refusing = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

impl<R, W> Flushing<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// The streams `input` and `output`, for `desk`, on which these `versions` are served.
    pub(crate) fn new(
        (input, output): (R, W),
        desk: Arc<Desk>,
        versions: &'static [ProtocolVersion],
    ) -> Self {
        Self {
            lines: Lines::new(input, LINE_BYTES),
            output: AsyncRwTransport::new_server(tokio::io::empty(), output),
            desk,
            versions,
            opened: false,
            in_flight: HashSet::new(),
            refusing: None,
        }
    }

    /// The next message that the server may see; nothing at the end.
    async fn next(&mut self) -> io::Result<Option<RxJsonRpcMessage<RoleServer>>> {
        loop {
            if let Some(refusing) = &mut self.refusing {
                let refused = refusing.await;
                self.refusing = None;
                refused?;
            }
            let Some(found) = self.lines.next().await? else {
                return Ok(None);
            };
            match found.and_then(|message| self.admit(message)) {
                Ok(Some(message)) => return Ok(Some(message)),
                Ok(None) => {}
                Err(Refused { id, error }) => {
                    let refusal = JsonRpcMessage::error(error, id);
                    self.refusing = Some(Box::pin(self.output.send(refusal)));
                }
            }
        }
    }

    /// Lets a message in; nothing is said to a notification that comes before the session.
    fn admit(
        &mut self,
        message: RxJsonRpcMessage<RoleServer>,
    ) -> Result<Option<RxJsonRpcMessage<RoleServer>>, Refused> {
        match &message {
            JsonRpcMessage::Request(request) => {
                if !self.in_flight.insert(request.id.clone()) {
                    return Err(in_use(&request.id));
                }
                self.opened |= begins(&request.request, self.versions);
                self.desk.heard_from_host();
                return Ok(Some(message));
            }
            JsonRpcMessage::Notification(notification) => {
                // The response to a request that was given up is never sent.
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.in_flight.remove(id);
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
        Ok(self.opened.then_some(message))
    }
}

/// Whether `rmcp` begins the session with this request: it does with `initialize`, and with any
/// other but `ping` and `server/discover` that says by itself which revision it is of.
fn begins(request: &ClientRequest, versions: &[ProtocolVersion]) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        other => {
            let meta = other.get_meta();
            let missing = meta.missing_required_keys(&ProtocolVersion::V_2026_07_28);
            let version = meta.protocol_version().filter(|_| missing.is_empty());
            version.is_some_and(|version| versions.contains(&version))
        }
    }
}

/// Refuses a second request of an id whose first has no response yet: nobody could tell the
/// responses apart. This refusal carries no id, for it would pass for the first one's response.
fn in_use(id: &RequestId) -> Refused {
    Refused {
        id: None,
        error: ErrorData::invalid_request(
            "this id is that of a request that has no response yet; give each request another",
            Some(json!({"id": id})),
        ),
    }
}

impl<R, W> Transport<RoleServer> for Flushing<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn name() -> Cow<'static, str> {
        "stdio".into()
    }

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answered = answered_call(&item);
        if let Some(call) = &answered {
            self.in_flight.remove(call);
        }
        let sent = self.output.send(item);
        let desk = Arc::clone(&self.desk);
        async move {
            let sent = sent.await;
            if let Some(call) = answered {
                match &sent {
                    Ok(()) => desk.acknowledge(&call).await,
                    Err(_) => desk.give_back(&call).await,
                }
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        // What cannot be read or answered any more has ended too.
        let message = self.next().await.ok().flatten();
        if message.is_none() {
            // Calls that wait for mail would keep us here for seconds after the host has left.
            self.desk.host_is_gone();
        }
        message
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.output.close().await
    }
}

fn answered_call(item: &TxJsonRpcMessage<RoleServer>) -> Option<RequestId> {
    match item {
        JsonRpcMessage::Response(response) => Some(response.id.clone()),
        JsonRpcMessage::Error(error) => error.id.clone(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}
