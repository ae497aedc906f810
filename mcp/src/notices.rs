//! Waiting until there is something to tell of, however long that takes.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::limits::WAIT_MS;
use ipc_protocol::request::{Notice, NoticeReport};
use tokio_util::sync::CancellationToken;

use crate::clock::Deadline;
use crate::desk::{Desk, Waited};
use crate::limits::LOOK_AGAIN;

/// Waits until the notice that `wanted` describes is due; nothing when there is no use in waiting
/// any more: it was given up, or the host is gone.
pub(crate) async fn next(
    desk: &Arc<Desk>,
    wanted: Notice,
    given_up: &CancellationToken,
) -> Option<NoticeReport> {
    let ask = |wait_ms| Notice { wait_ms, ..wanted };
    loop {
        let wait = Duration::from_millis(u64::from(WAIT_MS));
        match desk.wait_for(wait, given_up, ask).await {
            Ok(Waited::Answered(report)) if report.is_due => return Some(report),
            Ok(Waited::Answered(_)) => {}
            Ok(Waited::GivenUp(_)) => return None,
            // It was stopped for longer than one wait: there is nothing to do but to wait on.
            Err(failure) if failure.says_stop() => {
                while matches!(
                    desk.await_next(Deadline::after(wait), given_up).await,
                    Ok(false)
                ) {}
            }
            // The daemon is gone or refuses us; whoever calls a tool hears why.
            Err(_) => tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = given_up.cancelled() => return None,
                () = desk.closing().cancelled() => return None,
            },
        }
    }
}

/// The same for telling the agent: the daemon gives each notice to one front-end.
pub(crate) async fn next_to_tell(desk: &Arc<Desk>) -> Option<NoticeReport> {
    desk.enrolment().await;
    let tell = Notice {
        tell: true,
        ..Notice::default()
    };
    next(desk, tell, desk.closing()).await
}
