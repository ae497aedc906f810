//! `ipc setup`: makes an agent's host use this program, or takes that back.

use serde::Serialize;

use crate::args::SetupArguments;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::lines::Lines;
use crate::output::safe;
use crate::setup::plan::{self, Hunk, Plan, Told};
use crate::setup::program::Program;

/// What was done, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Report<'a> {
    host: &'static str,
    /// `written`, `already`, `removed`, `nothing`; `would_write`, `would_remove` for a dry run.
    state: &'static str,
    files: Vec<&'a Told>,
}

/// Does what was asked for.
pub(crate) fn run(context: &Context, arguments: &SetupArguments) -> Result<ExitStatus, Failure> {
    if arguments.uninstall {
        uninstall(context, arguments)
    } else {
        install(context, arguments)
    }
}

fn install(context: &Context, arguments: &SetupArguments) -> Result<ExitStatus, Failure> {
    let host = arguments.host;
    let environment = &context.environment;
    if let Some(obstacle) = host.obstacle(environment)? {
        return Err(obstacle);
    }
    let program = Program::of(environment, &context.data_dir)?;
    let files = host.files(environment, &program)?;
    let plan = plan::install(&context.data_dir, host, &files, arguments.dry_run)?;
    let state = match (plan.is_empty(), arguments.dry_run) {
        (true, _) => "already",
        (false, true) => "would_write",
        (false, false) => "written",
    };
    context
        .screen
        .result(&report(arguments, state, &plan), || {
            if plan.is_empty() {
                return format!("{} is already set up\n", host.title());
            }
            let mut text = people(&plan, arguments.dry_run);
            if arguments.dry_run {
                text.push_str("nothing was written\n");
            } else {
                text.push_str(host.next());
            }
            text
        })?;
    Ok(ExitStatus::Done)
}

fn uninstall(context: &Context, arguments: &SetupArguments) -> Result<ExitStatus, Failure> {
    let title = arguments.host.title();
    let plan = plan::uninstall(&context.data_dir, arguments.host, arguments.dry_run)?;
    let state = match (&plan, arguments.dry_run) {
        (None, _) => "nothing",
        (Some(_), true) => "would_remove",
        (Some(_), false) => "removed",
    };
    let plan = plan.unwrap_or_default();
    let end = match state {
        "nothing" => {
            format!("nothing to take back: {title} was not set up from this data directory")
        }
        "would_remove" => "nothing was written".to_owned(),
        _ if plan.steps.iter().any(|step| !step.told.left.is_empty()) => {
            format!("what is left is yours to take out; then start {title} anew")
        }
        _ => format!("{title} is as it was without ipc; start it anew"),
    };
    context
        .screen
        .result(&report(arguments, state, &plan), || {
            [&people(&plan, arguments.dry_run), end.as_str(), "\n"].concat()
        })?;
    Ok(ExitStatus::Done)
}

fn report<'a>(arguments: &SetupArguments, state: &'static str, plan: &'a Plan) -> Report<'a> {
    Report {
        host: arguments.host.word(),
        state,
        files: plan.steps.iter().map(|step| &step.told).collect(),
    }
}

fn people(plan: &Plan, is_dry: bool) -> String {
    let mut lines = Lines::default();
    for told in plan.steps.iter().map(|step| &step.told) {
        let path = safe::line(&told.path.display().to_string());
        if is_dry && !told.hunks.is_empty() {
            lines.add(format!("--- {path}"));
            lines.add(format!("+++ {path}"));
            told.hunks
                .iter()
                .for_each(|hunk| add_hunk(&mut lines, hunk));
        } else {
            for (what, places) in [("removed", &told.removed), ("added", &told.added)] {
                if !places.is_empty() {
                    lines.add(format!("{path}: {what} {}", safe::line(&places.join(", "))));
                }
            }
        }
        if !told.left.is_empty() {
            let places = safe::line(&told.left.join(", "));
            lines.add(format!(
                "{path}: left {places}, which somebody changed since"
            ));
        }
    }
    lines.into_text()
}

/// Only the bytes that change: what stands around them may be secret.
fn add_hunk(lines: &mut Lines, hunk: &Hunk) {
    let sign = if hunk.is_added { '+' } else { '-' };
    lines.add(format!("@@ line {} @@", hunk.line));
    for line in hunk.text.lines() {
        lines.add(format!("{sign}{}", safe::block(line)));
    }
}
