//! Subscriptions to the mailbox: the host is told that it changed, never what is in it.

use std::sync::Arc;

use ipc_protocol::id::MessageId;
use ipc_protocol::request::Notice;
use rmcp::model::{ResourceUpdatedNotificationParam, SubscriptionFilter};
use rmcp::service::SubscriptionContext;
use rmcp::{ErrorData, Peer, RoleServer};
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::notices;
use crate::resources::INBOX;

/// What of a wish for notices we can fulfil: the mailbox alone changes by itself.
pub(crate) fn accepted(requested: &SubscriptionFilter) -> SubscriptionFilter {
    let wanted = requested.resource_subscriptions.iter().flatten();
    let ours: Vec<_> = wanted.filter(|uri| *uri == INBOX).cloned().collect();
    SubscriptionFilter::builder()
        .resource_subscriptions(ours)
        .build()
}

/// Refuses to subscribe to what never changes.
pub(crate) fn check(uri: &str) -> Result<(), ErrorData> {
    if uri == INBOX {
        return Ok(());
    }
    Err(ErrorData::invalid_params(
        format!("only {INBOX} can be subscribed to"),
        None,
    ))
}

/// Tells of changes until the subscription is cancelled. The first word comes at once: what came
/// between the host's question and here would be lost else.
pub(crate) async fn listen(desk: &Arc<Desk>, context: &SubscriptionContext) -> Result<(), Failure> {
    let _turn = desk.listening_turn()?;
    let cancelled = &context.request_context().ct;
    let sink = context.sink();
    let mut seen = None;
    let accepted = context.accepted().resource_subscriptions.as_ref();
    let left = desk.closing();
    if accepted.is_none_or(Vec::is_empty) {
        tokio::select! {
            () = context.cancelled() => {}
            () = left.cancelled() => {}
        }
        return Ok(());
    }
    // What is wrong is said by the calls that follow.
    drop(desk.agent().await);
    loop {
        // Once the host has left, nothing takes what is sent, and nothing says so.
        let is_told = tokio::select! {
            told = sink.notify_resource_updated(INBOX) => told.is_ok(),
            () = left.cancelled() => false,
        };
        if !is_told {
            return Ok(());
        }
        match newer(desk, seen, cancelled).await {
            Some(newest) => seen = Some(newest),
            None => return Ok(()),
        }
    }
}

/// Tells hosts of the older revisions of changes while they are subscribed; never comes to an end.
pub(crate) async fn serve(desk: &Arc<Desk>, host: &Peer<RoleServer>) {
    let mut subscribed = desk.subscribed();
    let mut seen = None;
    loop {
        if subscribed
            .wait_for(|is_subscribed| *is_subscribed)
            .await
            .is_err()
        {
            return std::future::pending().await;
        }
        let given_up = CancellationToken::new();
        let newest = tokio::select! {
            newest = newer(desk, seen, &given_up) => newest,
            _ = subscribed.wait_for(|is_subscribed| !is_subscribed) => {
                given_up.cancel();
                continue;
            }
        };
        let Some(newest) = newest else {
            return std::future::pending().await;
        };
        seen = Some(newest);
        let update = ResourceUpdatedNotificationParam::new(INBOX);
        if host.notify_resource_updated(update).await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Waits for mail newer than `seen`; nothing when there is no use in waiting any more.
async fn newer(
    desk: &Arc<Desk>,
    seen: Option<MessageId>,
    given_up: &CancellationToken,
) -> Option<MessageId> {
    let newer = Notice {
        newer_than: seen,
        ..Notice::default()
    };
    notices::next(desk, newer, given_up).await?.newest
}
