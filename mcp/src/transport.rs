//! The two streams to the host: one JSON object a line, and word of what was flushed.

use std::borrow::Cow;
use std::future::Future;
use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::desk::Desk;
use crate::limits::LINE_BYTES;

/// Tells the desk when a response has been flushed, and that the host is gone.
pub(crate) struct Flushing<R: AsyncRead, W: AsyncWrite> {
    lines: AsyncRwTransport<RoleServer, R, W>,
    desk: Arc<Desk>,
    /// Whether a request has come. A notification before it would end the session.
    opened: bool,
}

impl<R, W> Flushing<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// The streams `input` and `output`, for `desk`.
    pub(crate) fn new(input: R, output: W, desk: Arc<Desk>) -> Self {
        let lines = AsyncRwTransport::new_server(input, output);
        Self {
            lines: lines.with_max_line_length(LINE_BYTES),
            desk,
            opened: false,
        }
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
        let sent = self.lines.send(item);
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
        loop {
            let Some(message) = self.lines.receive().await else {
                // Calls that wait for mail would keep us here for seconds after the host has left.
                self.desk.host_is_gone();
                return None;
            };
            if matches!(message, JsonRpcMessage::Request(_)) {
                self.opened = true;
                self.desk.heard_from_host();
            }
            if self.opened {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.lines.close().await
    }
}

fn answered_call(item: &TxJsonRpcMessage<RoleServer>) -> Option<RequestId> {
    match item {
        JsonRpcMessage::Response(response) => Some(response.id.clone()),
        JsonRpcMessage::Error(error) => error.id.clone(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}
