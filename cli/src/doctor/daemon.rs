//! The daemon: whether it runs, answers, and is of this version. None is started: not even through
//! the socket of a service manager, so that nothing is connected to unless a daemon holds its lock.

use ipc_protocol::request::{
    Enrolment, Freezes, OldPortReport, OldPortTrouble, Status, StatusReport,
};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};

use super::finding::Finding;
use crate::autostart;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::{self, secret};
use crate::output::old_port as words;

const CHECK: &str = "daemon";

pub(super) fn check(context: &mut Context, ipc: &str) -> Vec<Finding> {
    if let Some(finding) = sandbox(context) {
        return vec![finding];
    }
    if !is_running(context) {
        let what = "none runs; the next command that needs one starts it";
        return vec![Finding::note(CHECK, what).fix(format!("{ipc} daemon start"))];
    }
    match ask(context) {
        Ok(Some(report)) => judged(&report, env!("CARGO_PKG_VERSION"), ipc),
        Ok(None) => vec![Finding::note(
            CHECK,
            "it runs; without the shared secret it says no more",
        )],
        Err(failure) => {
            let finding = Finding::problem(CHECK, failure.message);
            vec![if failure.status == ExitStatus::Unreachable {
                finding.fix(anew(context, ipc))
            } else {
                finding.fix(format!("{ipc} admin rotate-secret"))
            }]
        }
    }
}

/// What a host's sandbox keeps this very shell from.
fn sandbox(context: &Context) -> Option<Finding> {
    let family = rustix::net::AddressFamily::UNIX;
    let tried = rustix::net::socket(family, rustix::net::SocketType::STREAM, None);
    let is_refused = tried.is_err_and(|error| {
        use rustix::io::Errno;
        matches!(error, Errno::PERM | Errno::ACCESS | Errno::AFNOSUPPORT)
    });
    (is_refused || context.environment.is_sandboxed).then(|| {
        let what = "this shell is in an agent's sandbox without Unix sockets: use the MCP tools of ipc, which run \
                    outside of it, or the host's own setting that allows Unix sockets";
        Finding::note("sandbox", what)
    })
}

/// Whether a daemon holds the lock. Looked at by sharing it for a moment, for which a daemon that
/// starts right then waits.
fn is_running(context: &Context) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let Ok(lock) = rustix::fs::open(context.data_dir.daemon_lock(), flags, Mode::empty()) else {
        return false;
    };
    flock(&lock, FlockOperation::NonBlockingLockShared).is_err()
}

/// The command that puts another daemon in the place of one that does not answer, and so would not
/// hear either that it is to stop. What it acknowledged is on disk.
fn anew(context: &Context, ipc: &str) -> String {
    let text = std::fs::read_to_string(context.data_dir.daemon_lock()).unwrap_or_default();
    match text.trim().parse::<u32>() {
        Ok(pid) => format!("kill -KILL {pid}; {ipc} daemon start"),
        Err(_) => format!("{ipc} daemon restart"),
    }
}

fn ask(context: &mut Context) -> Result<Option<StatusReport>, Failure> {
    drop(autostart::try_connect(context)?);
    // A secret that is no good is told of elsewhere.
    let Ok(Some(secret)) = secret::find(context) else {
        return Ok(None);
    };
    let credential = ipc_protocol::auth::Credential::Secret(secret);
    let mut client = front::prove_running(context, &credential)?;
    Ok(Some(client.call(&Status {})?))
}

fn judged(report: &StatusReport, own: &str, ipc: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if report.version == own {
        findings.push(Finding::good(
            CHECK,
            format!("pid {}, version {own}", report.pid),
        ));
    } else {
        let what = format!("it is version {}, this program is {own}", report.version);
        findings.push(Finding::problem(CHECK, what).fix(format!("{ipc} daemon restart")));
    }
    if report.enrolment == Enrolment::SecretChanged {
        let what = "the secret is not the one that this deployment was made with: nobody can enrol";
        findings.push(Finding::problem("secret", what).fix(format!("{ipc} admin rotate-secret")));
    }
    findings.extend(frozen(&report.frozen, ipc));
    findings.extend(report.old_port.as_ref().map(old_port));
    if report.counters.faults > 0 {
        let what = format!(
            "the daemon had {} faults since it started; its log says which",
            report.counters.faults
        );
        findings.push(Finding::note("database", what));
    }
    findings
}

/// A freeze that somebody forgot looks like agents that do not answer.
fn frozen(freezes: &Freezes, ipc: &str) -> Option<Finding> {
    let all = freezes.everybody_since_ms.is_some();
    let (what, thaw) = match (all, freezes.agents) {
        (false, 0) => return None,
        (true, _) => ("everybody, and nobody comes in".to_owned(), "thaw --all"),
        (false, 1) => ("1 agent; its mail waits".to_owned(), "thaw NAME"),
        (false, n) => (format!("{n} agents; their mail waits"), "thaw NAME"),
    };
    let what = format!(
        "an operator has frozen {what}: `{ipc} admin freeze` shows who, `{ipc} admin {thaw}` ends it"
    );
    Some(Finding::note("frozen", what))
}

/// The old port weakens what the rest promises, so it is named wherever it is on.
fn old_port(port: &OldPortReport) -> Finding {
    let check = "old port";
    match (port.address, port.trouble) {
        (Some(address), None) if port.requests == 0 => Finding::note(
            check,
            format!(
                "it is open at {address} and was not used since the daemon started; if that stays \
                 so, take `[legacy]` out of config.toml"
            ),
        ),
        (Some(address), None) => Finding::note(
            check,
            format!(
                "it is open at {address} and in use: {} requests by {} agents",
                port.requests, port.agents
            ),
        ),
        (_, Some(OldPortTrouble::Starting)) => Finding::note(check, "it is about to open"),
        (_, Some(trouble)) => Finding::problem(check, words::trouble(trouble)),
        (None, None) => Finding::problem(check, "it is closed"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(version: &str, enrolment: &str) -> StatusReport {
        let counters = json!({
            "connections": 0, "failed_authentications": 0, "sent": 0, "delivered": 0, "refused": 0,
            "rate_limited": 0, "faults": 0, "commits": 0,
        });
        let report = json!({
            "version": version, "protocol": 1, "schema": 1, "pid": 1, "started_ms": 0, "enrolment": enrolment,
            "leaves_when_idle": true, "agents": 0, "live": 0, "connections": 1, "messages": 0, "waiting": 0,
            "database_bytes": 0, "counters": counters,
        });
        serde_json::from_value(report).unwrap()
    }

    #[test]
    fn a_daemon_of_another_version_is_to_be_restarted() {
        let findings = judged(&report("0.0.1", "open"), "0.1.0", "ipc");
        assert_eq!(findings.len(), 1);
        assert!(!findings[0].is_fine());
        assert_eq!(findings[0].fix.as_deref(), Some("ipc daemon restart"));
        assert!(
            judged(&report("0.1.0", "open"), "0.1.0", "ipc")
                .iter()
                .all(Finding::is_fine)
        );
    }

    #[test]
    fn a_freeze_is_named_and_is_no_problem_of_the_installation() {
        let with = |freezes: serde_json::Value| {
            let mut report = report("0.1.0", "open");
            report.frozen = serde_json::from_value(freezes).unwrap();
            judged(&report, "0.1.0", "ipc")
        };
        assert_eq!(with(json!({"agents": 0})).len(), 1);
        for (frozen, what, thaw) in [
            (json!({"agents": 1}), "1 agent;", "thaw NAME"),
            (json!({"agents": 2}), "2 agents;", "thaw NAME"),
            (
                json!({"agents": 0, "everybody_since_ms": 7}),
                "everybody,",
                "thaw --all",
            ),
        ] {
            let findings = with(frozen);
            assert!(findings.iter().all(Finding::is_fine));
            let said = &findings[1].what;
            assert!(said.contains(what) && said.contains(thaw), "{said}");
        }
    }

    #[test]
    fn an_old_port_is_named_and_one_that_is_closed_is_a_problem() {
        let with = |port: serde_json::Value| {
            let mut report = report("0.1.0", "open");
            report.old_port = Some(serde_json::from_value(port).unwrap());
            judged(&report, "0.1.0", "ipc")
        };
        let open = json!({
            "address": "127.0.0.1:9876", "requests": 0, "agents": 0, "closed_unread": 0,
        });
        let findings = with(open);
        assert!(findings.iter().all(Finding::is_fine));
        assert!(
            findings
                .iter()
                .any(|finding| finding.what.contains("take `[legacy]` out"))
        );
        let closed = json!({
            "trouble": "address_in_use", "requests": 0, "agents": 0, "closed_unread": 0,
        });
        assert!(!with(closed).iter().all(Finding::is_fine));
    }

    #[test]
    fn a_secret_that_does_not_enrol_is_to_be_rotated() {
        let findings = judged(&report("0.1.0", "secret_changed"), "0.1.0", "ipc");
        assert!(
            findings
                .iter()
                .any(|finding| finding.fix.as_deref() == Some("ipc admin rotate-secret"))
        );
    }
}
