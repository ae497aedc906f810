//! `ipc admin audit`: what the audit log says, whether it was changed, and what fixes it.
//!
//! Reads the files themselves: whoever may read the data directory may read them, and it works while
//! no daemon runs. They may be anybody's by now: what parses them has shut itself in before.

use std::path::{Path, PathBuf};

use ipc_daemon::audit::LogError;
use ipc_daemon::audit::anchor::{ANCHORS_BYTES, Anchor, Anchors, AuditKey};
use ipc_daemon::audit::reading::{self, Page, Record, Wanted};
use ipc_daemon::audit::verify::{self, Report, VerifyError};
use ipc_daemon::sandbox::Inside;
use ipc_protocol::id::AgentId;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::io::Read;
use zeroize::Zeroizing;

use super::incident::since;
use super::inside;
use crate::args::{AnchorArguments, AuditCommand, ShowArguments, VerifyArguments};
use crate::clock;
use crate::configuration;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::json;
use crate::output::lines::Lines;
use crate::output::style::Style;
use crate::output::table::Table;
use crate::output::times;

/// Does `command`.
pub(crate) fn run(context: &Context, command: &AuditCommand) -> Result<ExitStatus, Failure> {
    match command {
        AuditCommand::Show(arguments) => show(context, arguments),
        AuditCommand::Verify(arguments) => verify(context, arguments),
        AuditCommand::Anchor(arguments) => anchor(context, arguments),
    }
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<ExitStatus, Failure> {
    let now = clock::now();
    let wanted = Wanted {
        since: since(arguments.since, now)?,
        agent: arguments.agent.clone(),
        denied: arguments.denied,
        limit: usize::try_from(arguments.limit).unwrap_or(usize::MAX),
    };
    let directory = context.data_dir.audit();
    let inside = shut_in(context, &directory)?;
    let page = reading::read(&directory, &wanted, &inside);
    let page = page.map_err(|error| failed(&directory, error))?;
    let style = context.screen.style;
    context.screen.result(&page, || people(&page, now, style))?;
    Ok(ExitStatus::Done)
}

fn people(page: &Page, now: Timestamp, style: Style) -> String {
    let mut lines = Lines::default();
    if page.earlier > 0 {
        lines.add(format!("{} earlier: `--limit` shows more", page.earlier));
    }
    if page.records.is_empty() {
        lines.add("no such record");
    } else {
        let mut table = Table::new(["record", "when", "what", "facts"]);
        for record in &page.records {
            let number = record.sequence().map(|n| n.to_string());
            let when = record.at().map(|at| times::relative(at, now));
            let what = record.event().replace('_', " ");
            let facts = facts(record, page);
            table.push([
                number.unwrap_or_default(),
                when.unwrap_or_default(),
                what,
                facts,
            ]);
        }
        lines.add_text(&table.render(style));
    }
    if page.unreadable > 0 {
        let number = page.unreadable;
        lines.add(format!(
            "{number} lines are no records: `ipc admin audit verify`"
        ));
    }
    lines.into_text()
}

/// What a record says beside what happened; agents by name, as far as the log has one.
fn facts(record: &Record, page: &Page) -> String {
    let said = |(field, value): (&str, &Value)| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let name = text
            .parse::<AgentId>()
            .ok()
            .and_then(|id| page.names.get(&id));
        match name {
            Some(name) => format!("{field}={name}"),
            None => format!("{field}={text}"),
        }
    };
    record.facts().map(said).collect::<Vec<_>>().join(" ")
}

fn verify(context: &Context, arguments: &VerifyArguments) -> Result<ExitStatus, Failure> {
    let anchors = arguments.anchor.as_deref().map(Given::of).transpose()?;
    let directory = context.data_dir.audit();
    let inside = shut_in(context, &directory)?;
    let anchors = anchors.map_or_else(|| Ok(Anchors::default()), |given| given.parsed())?;
    let report = verify::verify(&directory, &anchors, &inside).map_err(|error| match error {
        VerifyError::Log(error) => failed(&directory, error),
        VerifyError::NoLog(_) => no_log(&directory),
        error @ (VerifyError::NoKey(_) | VerifyError::LaterKey(_)) => {
            Failure::local(error.to_string())
                .hint("`--anchor FILE` with what `ipc admin audit anchor --take-key` printed")
        }
    })?;
    let with_anchor = arguments.anchor.is_some();
    context
        .screen
        .result(&report, || verdict(&report, with_anchor))?;
    Ok(if report.findings.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::Refused
    })
}

fn verdict(report: &Report, with_anchor: bool) -> String {
    let mut lines = Lines::default();
    for finding in &report.findings {
        lines.add(format!("CHANGED: {finding}"));
    }
    let (from, last) = (report.checked_from, report.last);
    if report.findings.is_empty() {
        lines.add(format!("records {from} to {last} are as they were sealed"));
        match (with_anchor, report.anchors) {
            (true, 0) => lines.add("no anchor is of a record that is kept"),
            (true, 1) => lines.add("1 anchor agrees"),
            (true, n) => lines.add(format!("{n} anchors agree")),
            (false, _) => lines.add(
                "no anchor was compared: `ipc admin audit anchor` prints one to keep elsewhere",
            ),
        }
    }
    if report.torn_bytes > 0 {
        let bytes = times::bytes(report.torn_bytes);
        lines.add(format!(
            "{bytes} at the end are of a write that is under way or was cut off"
        ));
    }
    lines.into_text()
}

/// Anchors as text, or out of a file of them, as they were given.
struct Given<'a> {
    origin: &'a str,
    text: Zeroizing<String>,
}

impl<'a> Given<'a> {
    fn of(text: &'a str) -> Result<Self, Failure> {
        if Anchors::is_one(text) {
            let (origin, text) = ("--anchor", Zeroizing::new(text.to_owned()));
            return Ok(Self { origin, text });
        }
        let failed = |error: std::io::Error| Failure::usage(format!("{text}: {error}"));
        let mut read = Zeroizing::new(String::new());
        let file = std::fs::File::open(text).map_err(failed)?;
        let all = file.take(ANCHORS_BYTES).read_to_string(&mut read);
        all.map_err(failed)?;
        Ok(Self {
            origin: text,
            text: read,
        })
    }

    fn parsed(&self) -> Result<Anchors, Failure> {
        self.text.parse().map_err(|error| {
            Failure::usage(format!("{}: {error}", self.origin))
                .hint("one of the lines that `ipc admin audit anchor` prints on each line")
        })
    }
}

/// Shuts this process in, where there is a log. Nothing outside the data directory can be opened any more.
fn shut_in(context: &Context, directory: &Path) -> Result<Inside, Failure> {
    match private::open_directory(directory) {
        Ok(_) => inside::shut_in(&configuration::load(context)?, None),
        Err(error) if error.is_missing() => Err(no_log(directory)),
        Err(error) => Err(error.into()),
    }
}

/// What `--json` prints of an anchor.
#[derive(Serialize)]
struct Printed<'a> {
    sequence: u64,
    taken_ms: Timestamp,
    anchor: &'a Anchor,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

fn anchor(context: &Context, arguments: &AnchorArguments) -> Result<ExitStatus, Failure> {
    let directory = context.data_dir.audit();
    let anchor = Anchor::of(&directory, clock::now()).map_err(|error| failed(&directory, error))?;
    let anchor = anchor.ok_or_else(|| no_log(&directory))?;
    let key = if arguments.take_key {
        let key = AuditKey::of_start(&directory).map_err(|error| failed(&directory, error))?;
        Some(key.ok_or_else(|| taken(&directory))?.text())
    } else {
        None
    };
    let key = key.as_ref().map(|text| text.trim_end());
    let text = if context.screen.json {
        let printed = Printed {
            sequence: anchor.sequence(),
            taken_ms: anchor.at(),
            anchor: &anchor,
            key,
        };
        Zeroizing::new(json::line(&printed)?)
    } else {
        let key = key.map(|key| format!("{key}\n")).unwrap_or_default();
        Zeroizing::new(format!("{key}{anchor}\n"))
    };
    // Removed only once it has been taken.
    context.screen.require_reader()?;
    context.screen.show(&text)?;
    if arguments.take_key {
        AuditKey::forget(&directory).map_err(|error| failed(&directory, error))?;
        context
            .screen
            .note("the key is not kept here any more: without it the log cannot be checked");
    }
    Ok(ExitStatus::Done)
}

fn failed(directory: &Path, error: LogError) -> Failure {
    if error.is_missing() {
        return no_log(directory);
    }
    match error {
        LogError::Private(error) => error.into(),
        error @ LogError::Io { .. } => Failure::local(error.to_string()),
    }
}

fn no_log(directory: &Path) -> Failure {
    Failure::local(format!("there is no audit log in {}", directory.display()))
        .hint("the daemon begins it: `ipc daemon start`")
}

fn taken(directory: &Path) -> Failure {
    let start: PathBuf = directory.join("start");
    Failure::local(format!(
        "{} is not there: the key was taken away before",
        start.display()
    ))
    .hint("it is where `ipc admin audit anchor --take-key` printed it")
}
