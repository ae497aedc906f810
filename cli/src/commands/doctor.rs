//! `ipc doctor`: says what is wrong and what mends it. Changes nothing.

use rand::rngs::StdRng;
use serde::Serialize;

use crate::args::Globals;
use crate::doctor;
use crate::doctor::finding::{Finding, Level};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::lines::Lines;
use crate::output::{Screen, safe};

/// What was found, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether nothing has to be mended.
    ok: bool,
    findings: Vec<Finding>,
}

/// Looks, and tells.
pub(crate) fn run(
    globals: &Globals,
    environment: Environment,
    screen: Screen,
    random: StdRng,
) -> Result<ExitStatus, Failure> {
    let findings = doctor::examine(globals, environment, screen, random)?;
    let report = Report {
        ok: findings.iter().all(Finding::is_fine),
        findings,
    };
    screen.result(&report, || people(&report))?;
    Ok(if report.ok {
        ExitStatus::Done
    } else {
        ExitStatus::Refused
    })
}

fn people(report: &Report) -> String {
    let mut lines = Lines::default();
    for finding in &report.findings {
        let level = match finding.level {
            Level::Good => "ok",
            Level::Note => "note",
            Level::Problem => "problem",
        };
        let what = safe::line(&finding.what);
        lines.add(format!("{level:<8} {}: {what}", finding.check));
        if let Some(fix) = &finding.fix {
            lines.add(format!("{:<8} fix: {}", "", safe::line(fix)));
        }
    }
    let problems = report
        .findings
        .iter()
        .filter(|finding| !finding.is_fine())
        .count();
    lines.add(match problems {
        0 => "nothing has to be mended".to_owned(),
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    });
    lines.into_text()
}
