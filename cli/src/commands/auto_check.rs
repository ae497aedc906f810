//! `ipc auto-check`: when the agent is told of waiting mail.

use ipc_protocol::message::AutoCheckMode;
use ipc_protocol::request::{AutoCheck, AutoCheckAction, AutoCheckReport};
use ipc_protocol::time::Timestamp;

use super::auto_check_run;
use crate::args::AutoCheckCommand;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::{table, times};

/// Does what was asked for.
pub(crate) fn run(
    context: &mut Context,
    command: &AutoCheckCommand,
) -> Result<ExitStatus, Failure> {
    let (action, minutes) = match command {
        AutoCheckCommand::Start {
            on_arrival: true, ..
        } => (AutoCheckAction::Arrival, None),
        AutoCheckCommand::Start { minutes, .. } => (AutoCheckAction::Start, Some(*minutes)),
        AutoCheckCommand::Stop => (AutoCheckAction::Stop, None),
        AutoCheckCommand::Status => (AutoCheckAction::Status, None),
        AutoCheckCommand::Run(arguments) => return auto_check_run::run(context, arguments),
    };
    let mut front = Front::open(context)?;
    let report = front.call_again(context, &AutoCheck { action, minutes })?;
    let name = front.name.as_str();
    if action == AutoCheckAction::Status {
        let people = || people(name, &report, clock::now());
        context.screen.result(&report, people)?;
    } else {
        let people = || format!("{name} is {}\n", when(&report));
        context.screen.confirm(&report, people)?;
    }
    Ok(ExitStatus::Done)
}

fn when(report: &AutoCheckReport) -> String {
    match (report.mode, report.minutes) {
        (AutoCheckMode::Off, _) => "told of no mail".to_owned(),
        (AutoCheckMode::Arrival, _) | (AutoCheckMode::Every, None) => {
            "told when mail comes".to_owned()
        }
        (AutoCheckMode::Every, Some(1)) => {
            "told when mail comes, and reminded every minute".to_owned()
        }
        (AutoCheckMode::Every, Some(minutes)) => {
            format!("told when mail comes, and reminded every {minutes} minutes")
        }
    }
}

fn people(name: &str, report: &AutoCheckReport, now: Timestamp) -> String {
    let at = |time: Option<Timestamp>, without: &str| {
        time.map_or_else(|| without.to_owned(), |time| times::relative(time, now))
    };
    let next = match report.next_ms {
        // The daemon's clock said so a moment ago.
        Some(at) if at <= now => "now".to_owned(),
        next => at(next, "when mail comes"),
    };
    let next = match report.mode {
        AutoCheckMode::Off => "never".to_owned(),
        AutoCheckMode::Arrival | AutoCheckMode::Every => next,
    };
    table::facts(&[
        (name, when(report)),
        ("since", at(report.started_ms, "always")),
        ("last told", at(report.last_told_ms, "never")),
        ("next", next),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_when_the_agent_is_told() {
        let mut report = AutoCheckReport {
            mode: AutoCheckMode::Every,
            minutes: Some(5),
            started_ms: Some(Timestamp::from_millis(0)),
            last_told_ms: None,
            next_ms: Some(Timestamp::from_millis(420_000)),
        };
        let now = Timestamp::from_millis(120_000);
        let text = people("alice", &report, now);
        let words = ["reminded every 5 minutes", "2 min ago", "never", "in 5 min"];
        for word in words {
            assert!(text.contains(word), "no {word:?} in {text}");
        }
        report.mode = AutoCheckMode::Off;
        assert!(people("alice", &report, now).contains("told of no mail"));
    }
}
