//! `ipc status`: how the daemon is. Starts none: whether one runs is the question.

use ipc_protocol::request::{Enrolment, Sandbox, Status, StatusReport};
use ipc_protocol::time::Timestamp;

use crate::args::StatusArguments;
use crate::autostart;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front;
use crate::output::{frozen, metrics, old_port, table, times};

/// Asks, as the agent if it is clear which, else with the shared secret.
pub(crate) fn run(
    context: &mut Context,
    arguments: &StatusArguments,
) -> Result<ExitStatus, Failure> {
    drop(autostart::try_connect(context)?);
    let report = front::ask_as_anyone(context, &Status {})?;
    if arguments.metrics {
        context.screen.show(&metrics::render(&report))?;
    } else {
        context
            .screen
            .result(&report, || people(context, &report, clock::now()))?;
    }
    Ok(ExitStatus::Done)
}

fn people(context: &Context, report: &StatusReport, now: Timestamp) -> String {
    let leaves = if report.leaves_when_idle {
        ", leaves when idle"
    } else {
        ""
    };
    let started = times::relative(report.started_ms, now);
    let backup = report.last_backup_ms.map(|time| times::relative(time, now));
    let data_dir = &context.data_dir;
    let mut rows = vec![
        (
            "daemon",
            format!("pid {}, started {started}{leaves}", report.pid),
        ),
        (
            "version",
            format!(
                "{}, this program {}",
                report.version,
                env!("CARGO_PKG_VERSION")
            ),
        ),
        (
            "speaks",
            format!("protocol {}, schema {}", report.protocol, report.schema),
        ),
        ("socket", data_dir.socket().display().to_string()),
        ("data", data_dir.root().display().to_string()),
        ("sandbox", sandbox(report.sandbox)),
        ("enrolment", enrolment(report.enrolment).to_owned()),
        ("agents", format!("{}, {} live", report.agents, report.live)),
        (
            "messages",
            format!("{}, {} waiting", report.messages, report.waiting),
        ),
        ("database", times::bytes(report.database_bytes)),
        ("last backup", backup.unwrap_or_else(|| "none".to_owned())),
    ];
    let frozen = frozen::overview(&report.frozen, now);
    rows.extend(frozen.map(|said| ("frozen", said)));
    if let Some(freeze) = report.frozen.you {
        rows.push(("you", format!("frozen {}", frozen::own(freeze, now))));
    }
    if let Some(port) = &report.old_port {
        rows.push(("old port", old_port::line(port, now)));
    }
    rows.extend(since_start(report));
    table::facts(&rows)
}

/// What the daemon has shut itself in with.
fn sandbox(holds: Sandbox) -> String {
    let files = match holds.landlock {
        0 => None,
        version => Some(format!("files (Landlock {version})")),
    };
    let calls = holds.system_calls.then(|| "system calls".to_owned());
    let parts: Vec<_> = files.into_iter().chain(calls).collect();
    if parts.is_empty() {
        "none: see `sandbox` in docs/CONFIGURATION.md".to_owned()
    } else {
        parts.join(", ")
    }
}

const fn enrolment(enrolment: Enrolment) -> &'static str {
    match enrolment {
        Enrolment::Open => "open",
        Enrolment::SecretChanged => "closed: the secret has changed (`ipc admin rotate-secret`)",
        Enrolment::Unchecked => "open (the daemon itself knows no secret)",
    }
}

fn since_start(report: &StatusReport) -> [(&'static str, String); 4] {
    let counters = &report.counters;
    [
        (
            "connections",
            format!(
                "{} open, {} so far",
                report.connections, counters.connections
            ),
        ),
        (
            "since start",
            format!("{} sent, {} delivered", counters.sent, counters.delivered),
        ),
        (
            "refused",
            format!(
                "{}, {} for their rate",
                counters.refused, counters.rate_limited
            ),
        ),
        ("faults", counters.faults.to_string()),
    ]
}
