//! `ipc whoami`, `ipc offline`, `ipc unregister`: the agent itself.

use ipc_protocol::client::AgentFiles;
use ipc_protocol::id::AgentId;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Offline, Unregister, Whoami, WhoamiReport};
use ipc_protocol::time::Timestamp;

use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::notices::ProjectNotices;
use crate::output::{frozen, table, times};

/// Shows whose mailbox this is.
pub(crate) fn whoami(context: &mut Context) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let report = front.call_again(context, &Whoami {})?;
    context
        .screen
        .result(&report, || people(&report, clock::now()))?;
    Ok(ExitStatus::Done)
}

fn people(report: &WhoamiReport, now: Timestamp) -> String {
    let aliases: Vec<_> = report.aliases.iter().map(Name::as_str).collect();
    let mut rows = vec![
        ("name", report.name.to_string()),
        ("agent", report.agent_id.to_string()),
    ];
    if let Some(freeze) = report.frozen {
        rows.push(("frozen", frozen::own(freeze, now)));
    }
    if !aliases.is_empty() {
        rows.push(("aliases", aliases.join(", ")));
    }
    rows.extend([
        ("registered", times::relative(report.registered_ms, now)),
        ("sessions", report.sessions.to_string()),
        (
            "session ends",
            times::relative(report.session_expires_ms, now),
        ),
        ("waiting", waiting(report)),
    ]);
    if let Some(status) = &report.status {
        rows.push(("status", status.as_str().to_owned()));
    }
    if let Some(summary) = &report.summary {
        rows.push(("summary", summary.as_str().to_owned()));
    }
    if !report.capabilities.is_empty() {
        rows.push(("can", report.capabilities.join(", ")));
    }
    table::facts(&rows)
}

fn waiting(report: &WhoamiReport) -> String {
    match report.muted {
        0 => report.waiting.to_string(),
        muted => format!("{} ({muted} muted)", report.waiting),
    }
}

/// Marks the agent offline.
pub(crate) fn offline(context: &mut Context) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let gone = front.call_again(context, &Offline {})?;
    context.screen.confirm(&gone, || {
        format!("{} is offline; the name is kept\n", gone.name)
    })?;
    Ok(ExitStatus::Done)
}

/// Forgets what is kept for an agent under these names.
pub(crate) fn forget(
    files: &AgentFiles,
    agent_id: AgentId,
    names: [&Name; 2],
) -> Result<(), Failure> {
    for name in names {
        let lock = files.lock(name)?;
        // A file of that name may be another agent's by now.
        if lock
            .read()?
            .is_some_and(|record| record.agent_id == agent_id)
        {
            lock.remove()?;
        }
    }
    Ok(())
}

/// Gives the name up, and forgets the credentials for it.
pub(crate) fn unregister(context: &mut Context) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let left = front.call(&Unregister {})?;
    let notices = ProjectNotices {
        data_dir: &context.data_dir,
        agent: front.agent_id,
        project: None,
    };
    if let Err(failure) = notices.leave() {
        let text = format!(
            "warning: the line of `ipc notices` stays: {}",
            failure.message
        );
        context.screen.note(&text);
    }
    forget(
        &context.agent_files(),
        front.agent_id,
        [&front.name, &left.name],
    )?;
    context.screen.confirm(&left, || match left.refused {
        0 => format!("{} is free\n", left.name),
        n => format!(
            "{} is free; {n} unread refused, their senders are told\n",
            left.name
        ),
    })?;
    Ok(ExitStatus::Done)
}
