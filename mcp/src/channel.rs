//! Notices pushed into the host: `claude/channel`, a preview of one host, only when asked for.
//!
//! A notice is the fixed sentence of every notice: counts and names, never text of a peer.

use std::sync::Arc;

use ipc_protocol::request::{NoticeReport, ReadsWith};
use rmcp::model::{CustomNotification, ExperimentalCapabilities, JsonObject, ServerNotification};
use rmcp::{Peer, RoleServer};
use serde_json::json;

use crate::desk::Desk;
use crate::{Options, notices};

/// What the host must know to take notices.
pub(crate) fn capability() -> ExperimentalCapabilities {
    ExperimentalCapabilities::from([("claude/channel".to_owned(), JsonObject::new())])
}

/// Pushes notices for as long as the host is there; never comes to an end.
pub(crate) async fn serve(desk: &Arc<Desk>, options: Options, host: &Peer<RoleServer>) {
    while let Some(report) = next(desk, options).await {
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
    std::future::pending::<()>().await;
}

async fn next(desk: &Arc<Desk>, options: Options) -> Option<NoticeReport> {
    if options.channel {
        notices::next_to_tell(desk).await
    } else {
        None
    }
}
