//! The processes that stand for agents, watched: the kernel says when one ends.
//!
//! Only for whoever waits for such an agent, who hears of it at once. Whether an agent is live is
//! always looked up anew (`store/agents.rs`), so that a process which is not watched (one too many,
//! no descriptor left, another system) costs patience and nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::daemon::{Daemon, stopped};
use crate::host::HostProcess;
use crate::limits::HOSTS_WATCHED;
use crate::presence::Presence;
use crate::store::context::View;
use crate::store::credentials;

/// Watches the processes that stand for agents until the daemon stops.
pub(crate) async fn run(daemon: Arc<Daemon>) {
    let known = |view: &View<'_>| Ok(credentials::all_hosts(view, HOSTS_WATCHED)?);
    match daemon.reader.run(known).await {
        Ok(hosts) => daemon.shared.presence.stand(hosts),
        Err(error) => tracing::warn!(?error, "host processes of before are not watched"),
    }
    let mut stopping = daemon.stopping.clone();
    tokio::select! {
        () = watch(&daemon.shared.presence) => {}
        () = stopped(&mut stopping) => {}
    }
}

/// Watches whatever process stands for an agent; never comes to an end.
async fn watch(presence: &Presence) {
    let mut watched = HashSet::new();
    let mut ends = JoinSet::new();
    loop {
        // Listen before looking: one that comes in between is not missed.
        let mut came = Box::pin(presence.host_came());
        came.as_mut().enable();
        for host in presence.take_hosts() {
            if watched.len() < HOSTS_WATCHED && watched.insert(host) {
                ends.spawn(async move { (host, end(host).await) });
            }
        }
        tokio::select! {
            () = came => {}
            Some(ended) = ends.join_next() => {
                if let Ok((host, how)) = ended {
                    watched.remove(&host);
                    match how {
                        Ok(()) => presence.somebody_left(),
                        Err(error) => tracing::debug!(pid = host.pid, %error, "not watched"),
                    }
                }
            }
        }
    }
}

/// Waits until the process has ended.
///
/// # Errors
/// When the system does not say so.
#[cfg(target_os = "linux")]
async fn end(host: HostProcess) -> std::io::Result<()> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    let pid = i32::try_from(host.pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(rustix::io::Errno::SRCH)?;
    let descriptor = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        other => other?,
    };
    // Its id may be another's by now: then it had ended before there was a descriptor of it.
    if !host.is_running() {
        return Ok(());
    }
    let descriptor = readable(descriptor)?;
    descriptor.readable().await.map(|_| ())
}

/// A descriptor whose becoming readable can be waited for.
#[cfg(target_os = "linux")]
#[expect(
    deprecated,
    reason = "unsound only for a type that says the number of a descriptor which it does not own; \
              this one owns it, and what takes its place is unsafe to call"
)]
fn readable(
    descriptor: std::os::fd::OwnedFd,
) -> std::io::Result<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
    tokio::io::unix::AsyncFd::with_interest(descriptor, tokio::io::Interest::READABLE)
}

/// Nothing says when a process ends on this system.
#[cfg(not(target_os = "linux"))]
async fn end(_: HostProcess) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::process::{Child, Command, Stdio};

    use ipc_protocol::process::facts;

    use super::*;

    /// A process that does nothing until its input ends.
    fn process() -> (Child, HostProcess) {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let start_ticks = facts(child.id()).unwrap().start_ticks;
        let host = HostProcess {
            pid: child.id(),
            start_ticks,
        };
        (child, host)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    #[test]
    fn the_end_of_a_host_process_is_told_at_once_and_before_it_is_reaped() {
        let (mut child, host) = process();
        let presence = Presence::default();
        runtime().block_on(async {
            let mut left = Box::pin(presence.departures());
            left.as_mut().enable();
            presence.stand([host]);
            let watching = watch(&presence);
            let killed = async {
                child.kill().unwrap();
                left.await;
            };
            tokio::select! {
                () = watching => {}
                () = killed => {}
            }
        });
        assert!(!host.is_running());
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_has_ended_or_whose_id_is_anothers_is_told_of_too() {
        let (mut child, host) = process();
        let earlier = HostProcess {
            start_ticks: host.start_ticks + 1,
            ..host
        };
        runtime().block_on(end(earlier)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        runtime().block_on(end(host)).unwrap();
    }

    #[test]
    fn so_many_processes_wait_to_be_watched_and_no_more() {
        let presence = Presence::default();
        let hosts = (1..2_000).map(|pid| HostProcess {
            pid,
            start_ticks: 1,
        });
        presence.stand(hosts);
        assert_eq!(presence.take_hosts().len(), HOSTS_WATCHED);
        assert!(presence.take_hosts().is_empty());
    }
}
