//! Coming over from the Python server: `ipc admin migrate`, and the same when the daemon starts
//! and finds its file where ours would be.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ipc_daemon::deployment::DaemonLock;
use ipc_daemon::migrate::{self, Migration, Original, Outside, Report};
use ipc_daemon::sandbox::Inside;

use super::inside;
use crate::args::MigrateArguments;
use crate::clock;
use crate::configuration;
use crate::context::{self, Context};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::lines::Lines;
use crate::output::safe;

/// Entries of the report that a person is shown; the file has 1,000 of each.
const SHOWN: usize = 20;

/// Takes over what lies in the place of the store, or imports the named file.
pub(crate) fn run(
    context: &mut Context,
    arguments: &MigrateArguments,
) -> Result<ExitStatus, Failure> {
    let bar = bar(context);
    let mut progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let file = arguments.file.as_deref().map(context::absolute);
    let file = file.transpose()?;
    let reports = come_over(context, file.as_deref(), &mut progress)?;
    bar.finish_and_clear();
    if reports.is_empty() {
        return Err(nothing(context));
    }
    for report in &reports {
        context.screen.confirm(report, || people(report))?;
    }
    Ok(ExitStatus::Done)
}

/// Has what lies outside, shuts this process in, and only there looks at what another program wrote.
fn come_over(
    context: &mut Context,
    file: Option<&Path>,
    progress: migrate::Progress<'_>,
) -> Result<Vec<Report>, Failure> {
    let config = configuration::load(context)?;
    let is_due = migrate::is_due(&context.data_dir)?;
    if !is_due && file.is_none() {
        return Ok(Vec::new());
    }
    let lock = inside::lock(context, "nothing can be imported under it")?;
    if let Some(file) = file {
        migrate::refuse_unfinished(&context.data_dir, file)?;
    }
    let outside = Outside::look(config.legacy);
    outside.refuse_while_served()?;
    let elsewhere = file.filter(|file| inside::lies_elsewhere(context, file));
    let elsewhere = elsewhere.map(Original::open).transpose()?;
    let large = elsewhere.as_ref().and_then(Original::large);
    let inside = inside::shut_in(&config, large)?;
    let mut migration = migration(context, outside, progress);
    let taken_over = migration.take_over(&lock, &inside)?;
    let original = match (elsewhere, file) {
        // In the data directory, where something may just have been taken over.
        (None, Some(file)) => Some(Original::open(file)?),
        (original, _) => original,
    };
    let imported = original.map(|original| migration.import(&original, &lock, &inside));
    let imported = imported.transpose()?;
    Ok(taken_over.into_iter().chain(imported).collect())
}

fn nothing(context: &Context) -> Failure {
    let database = context.data_dir.database();
    let nothing = format!("nothing to take over: {}", database.display());
    Failure::local(format!("{nothing} is not the Python server's"))
        .hint("`ipc admin migrate FILE` imports its file from elsewhere")
}

/// Takes over what the Python server left in the place of the store, if it left anything.
pub(crate) fn take_over(
    context: &mut Context,
    lock: &DaemonLock,
    inside: &Inside,
    outside: Outside,
    progress: migrate::Progress<'_>,
) -> Result<Option<Report>, Failure> {
    Ok(migration(context, outside, progress).take_over(lock, inside)?)
}

fn migration<'a>(
    context: &'a mut Context,
    outside: Outside,
    progress: migrate::Progress<'a>,
) -> Migration<'a> {
    Migration {
        data_dir: &context.data_dir,
        now: clock::now(),
        outside,
        rng: &mut context.random,
        progress,
    }
}

fn bar(context: &Context) -> ProgressBar {
    if context.screen.json {
        return ProgressBar::hidden();
    }
    // Drawn on a terminal only, and not before there is something to count.
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} messages, {eta} left");
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What came over, in one line.
pub(crate) fn sentence(report: &Report) -> String {
    format!(
        "took over {} messages ({} unread) and {} names from the Python server; report: {}",
        report.read.saturating_add(report.unread),
        report.unread,
        report.names,
        shown(&report.path())
    )
}

fn people(report: &Report) -> String {
    let mut lines = Lines::default();
    lines.add(format!("took over {}", shown(&report.original)));
    lines.add(format!(
        "messages  {} read, {} unread",
        report.read, report.unread
    ));
    if report.repeated > 0 {
        lines.add(format!("          {} were here already", report.repeated));
    }
    if report.from_files > 0 {
        lines.add(format!(
            "          {} with their text from a file",
            report.from_files
        ));
    }
    lines.add(format!(
        "names     {} held: `ipc register NAME` claims one",
        report.names
    ));
    if report.forwards > 0 {
        lines.add(format!(
            "forwards  {} old names go on forwarding",
            report.forwards
        ));
    }
    add_changes(&mut lines, report);
    if let Some(backup) = &report.store_backup {
        lines.add(format!("backup    {} (the store before)", shown(backup)));
    }
    lines.add(format!("times     read as of the zone {}", report.zone));
    if let Some(directory) = &report.large_directory_closed {
        lines.add(format!("mode      {} is yours alone now", shown(directory)));
    }
    lines.add(format!("copy      {} (verified)", shown(&report.copy)));
    lines.add(format!("report    {}", shown(&report.path())));
    lines.into_text()
}

/// What is called otherwise now, and what is missing.
fn add_changes(lines: &mut Lines, report: &Report) {
    for name in report.renamed.iter().take(SHOWN) {
        let old = safe::line(&name.old);
        lines.add(format!("renamed   {old} is {} now: {}", name.new, name.why));
    }
    for left in report.left_out.iter().take(SHOWN) {
        let place = match left.row {
            Some(row) => format!("message {row}: "),
            None => String::new(),
        };
        lines.add(format!("missing   {place}{}: {}", left.what, left.why));
    }
    let more = |all: usize| u64::try_from(all.saturating_sub(SHOWN)).unwrap_or(0);
    let hidden = more(report.renamed.len()).saturating_add(more(report.left_out.len()));
    let hidden = hidden.saturating_add(report.unlisted);
    if hidden > 0 {
        lines.add(format!("          {hidden} more changes: see the report"));
    }
}

fn shown(path: &Path) -> String {
    safe::line(&path.display().to_string())
}
