//! `ipc block`, `ipc mute`, `ipc allow`, `ipc boundaries`: whose mail the agent takes.

use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Boundaries, BoundariesReport, BoundaryRule};
use ipc_protocol::time::Timestamp;

use crate::args::{AllowArguments, RuleArguments, Switch};
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::lines::Lines;
use crate::output::style::Style;
use crate::output::table::Table;
use crate::output::times;

/// Shows them.
pub(crate) fn show(context: &mut Context) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let report = front.call_again(context, &Boundaries::default())?;
    let style = context.screen.style;
    context
        .screen
        .result(&report, || people(&report, clock::now(), style))?;
    Ok(ExitStatus::Done)
}

/// Makes the rule `rule`, or takes it back.
pub(crate) fn set(
    context: &mut Context,
    arguments: RuleArguments,
    rule: BoundaryRule,
) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let RuleArguments { peer, remove } = arguments;
    if remove {
        check_is(&mut front, context, &peer, rule)?;
    }
    let peer_words = String::from(peer.clone());
    let request = Boundaries {
        peer: Some(peer),
        rule: Some(if remove { BoundaryRule::None } else { rule }),
        allow_only: None,
    };
    let report = front.call_again(context, &request)?;
    let what = match (rule, remove) {
        (_, true) => "has no rule any more",
        (BoundaryRule::Block, _) => "is blocked: its mail is refused, and it is told",
        (BoundaryRule::Mute, _) => "is muted: its mail waits, and nobody is told of it",
        (BoundaryRule::Allow | BoundaryRule::None, _) => "is allowed: its mail comes",
    };
    let said = || format!("{peer_words} {what}\n{}", moved(&report));
    context.screen.confirm(&report, said)?;
    Ok(ExitStatus::Done)
}

/// Lets an agent in, or says whether only those that are allowed come in.
pub(crate) fn allow(
    context: &mut Context,
    arguments: AllowArguments,
) -> Result<ExitStatus, Failure> {
    let AllowArguments { peer, remove, only } = arguments;
    if let Some(peer) = peer {
        return set(context, RuleArguments { peer, remove }, BoundaryRule::Allow);
    }
    let mut front = Front::open(context)?;
    let request = Boundaries {
        allow_only: only.map(|only| only == Switch::On),
        ..Boundaries::default()
    };
    let report = front.call_again(context, &request)?;
    let what = if report.allow_only {
        "mail of agents that are not allowed is held: `ipc boundaries` shows whose"
    } else {
        "mail of everybody comes, but of those who are blocked"
    };
    let said = || format!("{what}\n{}", moved(&report));
    context.screen.confirm(&report, said)?;
    Ok(ExitStatus::Done)
}

/// A rule that is taken back must be the one that is there.
fn check_is(
    front: &mut Front,
    context: &mut Context,
    peer: &Recipient,
    rule: BoundaryRule,
) -> Result<(), Failure> {
    let report = front.call_again(context, &Boundaries::default())?;
    let found = report.rules.iter().find(|row| match peer {
        Recipient::Name(name) => row.name.same_as(name),
        Recipient::Agent(id) => row.agent_id == *id,
        Recipient::All | Recipient::Conversation(_) => false,
    });
    if found.is_some_and(|row| row.rule == rule) {
        return Ok(());
    }
    let peer = String::from(peer.clone());
    let text = format!("there is no rule `{}` for {peer}", rule.as_str());
    Err(Failure::local(text).hint("`ipc boundaries` lists the rules"))
}

/// What the request moved.
fn moved(report: &BoundariesReport) -> String {
    let mut lines = Lines::default();
    let held = |number: u64| match number {
        1 => "1 held message".to_owned(),
        n => format!("{n} held messages"),
    };
    if report.released > 0 {
        lines.add(format!("{} came in: `ipc check`", held(report.released)));
    }
    if report.refused > 0 {
        lines.add(format!(
            "{} refused, the sender is told",
            held(report.refused)
        ));
    }
    lines.into_text()
}

fn people(report: &BoundariesReport, now: Timestamp, style: Style) -> String {
    let mut lines = Lines::default();
    lines.add(if report.allow_only {
        "mail of agents that are not allowed is held (`ipc allow --only off` ends that)"
    } else {
        "mail of everybody comes, but of those who are blocked"
    });
    if !report.rules.is_empty() {
        let mut table = Table::new(["name", "rule", "since", "agent"]);
        for row in &report.rules {
            table.push([
                row.name.to_string(),
                row.rule.as_str().to_owned(),
                times::relative(row.since_ms, now),
                row.agent_id.to_string(),
            ]);
        }
        lines.add_text(&table.render(style));
    }
    if !report.held.is_empty() {
        let mut table = Table::new(["held of", "messages", "latest", "agent"]);
        for row in &report.held {
            table.push([
                row.name.to_string(),
                row.messages.to_string(),
                times::relative(row.latest_ms, now),
                row.agent_id.to_string(),
            ]);
        }
        lines.add_text(&table.render(style));
        lines.add("`ipc allow NAME` takes it in, `ipc block NAME` refuses it");
    }
    lines.into_text()
}
