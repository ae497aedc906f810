//! Telling the service manager that the daemon is at work, for as long as it is.
//!
//! A timer alone would go on beside a writer that hangs. So each beat goes through the writer's
//! queue first, from this runtime: it is told only when both have moved. What the job comes to does
//! not matter: a full disk is no reason to be ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::daemon::{Daemon, stopped};
use crate::limits::SHORTEST_BEAT;
use crate::store::writer::Writer;
use crate::systemd::Watchdog;

/// Beats until the daemon stops.
pub(crate) async fn run(daemon: Arc<Daemon>, watchdog: Watchdog) {
    let tell = || {
        if let Err(error) = watchdog.tell() {
            tracing::warn!(%error, "the service manager was not told: at work");
        }
    };
    let mut stopping = daemon.stopping.clone();
    tokio::select! {
        () = beat(&daemon.writer, watchdog.patience(), tell) => {}
        () = stopped(&mut stopping) => {}
    }
}

/// Calls `tell` twice within `patience` while the writer answers; ends when the writer has.
async fn beat(writer: &Writer, patience: Duration, tell: impl Fn()) {
    let every = patience.checked_div(2).unwrap_or_default();
    let mut beats = interval(every.max(SHORTEST_BEAT));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        if !answers(writer).await {
            return;
        }
        tell();
    }
}

/// Waits until the writer has come to a job that was handed in now; false when there is no writer.
async fn answers(writer: &Writer) -> bool {
    writer.submit(|_| Ok(())).await.await.is_ok()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use ipc_protocol::paths::DataDir;
    use ipc_protocol::time::Timestamp;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::shared::Shared;
    use crate::store::guard::Guard;
    use crate::store::open;

    #[test]
    fn a_writer_that_hangs_is_not_at_work_until_it_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(directory.path().to_owned(), None).unwrap();
        let db = open::open_writer(&data_dir, false, Timestamp::from_millis(0)).unwrap();
        let guard = Guard::new(&data_dir.database()).unwrap();
        let rng = StdRng::seed_from_u64(1);
        let shared = Arc::new(Shared::for_tests());
        let (writer, ..) = Writer::start(db, guard, rng, shared).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            assert!(answers(&writer).await);
            let (go_on, may_go_on) = mpsc::channel::<()>();
            let hanging = writer.submit(move |_| {
                may_go_on.recv().unwrap();
                Ok(())
            });
            let hanging = hanging.await;
            let mut answer = pin!(answers(&writer));
            let looks = &mut Context::from_waker(Waker::noop());
            assert!(answer.as_mut().poll(looks).is_pending());
            go_on.send(()).unwrap();
            assert!(answer.await);
            hanging.await.unwrap().unwrap();
        });
    }
}
