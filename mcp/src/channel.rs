//! Notices pushed into the host: `claude/channel`, a preview of one host, only when asked for.
//!
//! A notice is the fixed sentence of every notice: counts and names, never text of a peer.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::limits::WAIT_MS;
use ipc_protocol::request::{Notice, ReadsWith};
use rmcp::model::{CustomNotification, ExperimentalCapabilities, JsonObject, ServerNotification};
use rmcp::{Peer, RoleServer};
use serde_json::json;

use crate::Options;
use crate::desk::{Desk, Waited};
use crate::limits::LOOK_AGAIN;

/// What the host must know to take notices.
pub(crate) fn capability() -> ExperimentalCapabilities {
    ExperimentalCapabilities::from([("claude/channel".to_owned(), JsonObject::new())])
}

/// Pushes notices for as long as the host is there; never comes to an end.
pub(crate) async fn serve(desk: &Arc<Desk>, options: Options, host: &Peer<RoleServer>) {
    if !options.channel {
        return std::future::pending().await;
    }
    loop {
        let ask = |wait_ms| Notice {
            wait_ms,
            tell: true,
            ..Notice::default()
        };
        let wait = Duration::from_millis(u64::from(WAIT_MS));
        match desk.wait_for(wait, desk.closing(), ask).await {
            Ok(Waited::Answered(report)) => {
                if !report.is_due {
                    continue;
                }
                let content = json!({
                    "content": report.sentence(ReadsWith::Tool),
                    "meta": {"waiting": report.waiting.to_string()},
                });
                let notice = CustomNotification::new("notifications/claude/channel", Some(content));
                let notice = ServerNotification::CustomNotification(notice);
                if host.send_notification(notice).await.is_err() {
                    break;
                }
            }
            Ok(Waited::GivenUp(_)) => break,
            Err(_) => tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = desk.closing().cancelled() => break,
            },
        }
    }
    std::future::pending::<()>().await;
}
