//! The old port, in words: whether it is served, and whether anybody still needs it.

use ipc_protocol::request::{OldPortReport, OldPortTrouble};
use ipc_protocol::time::Timestamp;

use super::times;

/// How the old port is, on one line.
pub(crate) fn line(report: &OldPortReport, now: Timestamp) -> String {
    let place = match (report.address, report.trouble) {
        (Some(address), None) => address.to_string(),
        (Some(address), Some(why)) => format!("{address}, {}", trouble(why)),
        (None, Some(why)) => format!("closed: {}", trouble(why)),
        (None, None) => "closed".to_owned(),
    };
    format!("{place}; {}", usage(report, now))
}

/// Who used it, and when last.
pub(crate) fn usage(report: &OldPortReport, now: Timestamp) -> String {
    let used = match report.last_used_ms {
        None => "not used since the start".to_owned(),
        Some(last) => format!(
            "{} by {}, the last {}",
            counted(report.requests, "request"),
            counted(report.agents, "agent"),
            times::relative(last, now)
        ),
    };
    match report.closed_unread {
        0 => used,
        number => format!("{used}; {} closed unread", counted(number, "connection")),
    }
}

/// What is in the way, and what helps.
pub(crate) const fn trouble(trouble: OldPortTrouble) -> &'static str {
    match trouble {
        OldPortTrouble::Starting => "about to open",
        OldPortTrouble::NoSecret => {
            "the daemon knows no shared secret; put it into the file `secret`, then \
             `ipc daemon restart`"
        }
        OldPortTrouble::SecretChanged => {
            "the daemon has another secret than the deployment was made with"
        }
        OldPortTrouble::Rotated => {
            "nobody registers there: the secret was rotated; `ipc daemon restart`"
        }
        OldPortTrouble::MemoryNotLocked => {
            "no memory could be locked for the secret; raise `ulimit -l`, then `ipc daemon restart`"
        }
        OldPortTrouble::AddressInUse => {
            "another program listens there; stop the old server, then `ipc daemon restart`"
        }
        OldPortTrouble::NotBound => "its address cannot be had; the daemon's log says why",
        OldPortTrouble::Unsupported => "this system does not say whose a connection is",
    }
}

fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(trouble: Option<OldPortTrouble>) -> OldPortReport {
        OldPortReport {
            address: Some("127.0.0.1:9876".parse().unwrap()),
            trouble,
            requests: 12,
            agents: 1,
            last_used_ms: Some(Timestamp::from_millis(0)),
            closed_unread: 0,
        }
    }

    #[test]
    fn one_sees_whether_the_old_port_can_go() {
        let now = Timestamp::from_millis(120_000);
        assert_eq!(
            line(&report(None), now),
            "127.0.0.1:9876; 12 requests by 1 agent, the last 2 min ago"
        );
        let unused = OldPortReport {
            last_used_ms: None,
            closed_unread: 2,
            ..report(None)
        };
        assert_eq!(
            usage(&unused, now),
            "not used since the start; 2 connections closed unread"
        );
    }

    #[test]
    fn a_port_that_is_closed_says_why() {
        let closed = OldPortReport {
            address: None,
            ..report(Some(OldPortTrouble::AddressInUse))
        };
        let line = line(&closed, Timestamp::from_millis(0));
        assert!(
            line.starts_with("closed: another program listens there"),
            "{line}"
        );
    }
}
