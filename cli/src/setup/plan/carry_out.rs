//! Writing what was planned: all files are ready beside their places before the first takes one.

use ipc_protocol::paths::DataDir;

use super::{After, Plan, Step, Told, plan, undo, unfit};
use crate::failure::Failure;
use crate::setup::file::{self, Outcome, Staged};
use crate::setup::host::{Host, HostFile};
use crate::setup::record::{self, Record};

/// How often a plan is made anew because a host changed its file meanwhile. Hosts write a few times
/// a second at most.
const ATTEMPTS: u32 = 8;

/// Puts what belongs into the files of `host`; with `is_dry` only says what that would be.
pub(crate) fn install(
    data_dir: &DataDir,
    host: Host,
    files: &[HostFile],
    is_dry: bool,
) -> Result<Plan, Failure> {
    for _ in 0..ATTEMPTS {
        let known = record::read(data_dir, host)?;
        let mut plan = plan(host, files, known.as_ref())?;
        if is_dry || plan.is_empty() {
            return Ok(plan);
        }
        let staged = stage(&mut plan)?;
        let remembered = Record {
            files: plan
                .steps
                .iter()
                .filter_map(|step| step.record.clone())
                .collect(),
            made_data_directory: record::made_data_directory(data_dir)?,
        };
        // Remembered first: what was written and not remembered could not be taken back.
        if let Err(failure) = record::write(data_dir, host, &remembered) {
            drop_all(staged);
            return Err(failure);
        }
        match replace(&plan, staged) {
            Ok(Outcome::Done) => return Ok(plan),
            Ok(Outcome::Changed) => {}
            Err((written, failure)) => {
                if written.is_empty() {
                    restore(data_dir, host, known.as_ref(), &remembered)?;
                }
                return Err(half_done(host, &written, failure));
            }
        }
    }
    Err(too_busy(host))
}

/// Takes back what was put into the files of `host`; with `is_dry` only says what that is. Nothing
/// where nothing is remembered.
pub(crate) fn uninstall(
    data_dir: &DataDir,
    host: Host,
    is_dry: bool,
) -> Result<Option<Plan>, Failure> {
    for _ in 0..ATTEMPTS {
        let Some(known) = record::read(data_dir, host)? else {
            return Ok(None);
        };
        let mut plan = removal(host, &known)?;
        if is_dry {
            return Ok(Some(plan));
        }
        let staged = stage(&mut plan)?;
        match replace(&plan, staged) {
            Ok(Outcome::Done) => {
                for known in &known.files {
                    file::remove_directories(&known.made_directories);
                }
                record::forget(data_dir, host, &known)?;
                return Ok(Some(plan));
            }
            Ok(Outcome::Changed) => {}
            Err((written, failure)) => return Err(half_done(host, &written, failure)),
        }
    }
    Err(too_busy(host))
}

fn removal(host: Host, known: &Record) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    for known in &known.files {
        let seen = file::read(&known.path)?;
        let mut told = Told {
            path: seen.path.clone(),
            ..Told::default()
        };
        let after = match &seen.text {
            None => After::Same,
            Some(text) => {
                let left =
                    undo(host, text, known, &mut told).map_err(|error| unfit(&seen, &error))?;
                match left {
                    left if left == *text => After::Same,
                    left if left.is_empty() && known.made => After::Nothing,
                    left => After::Text(left),
                }
            }
        };
        plan.steps.push(Step {
            seen,
            after,
            record: None,
            told,
        });
    }
    Ok(plan)
}

fn stage(plan: &mut Plan) -> Result<Vec<Option<Staged>>, Failure> {
    let mut all = Vec::new();
    for step in &mut plan.steps {
        let After::Text(text) = &step.after else {
            all.push(None);
            continue;
        };
        match step.seen.stage(text) {
            Ok(staged) => {
                if let Some(record) = &mut step.record {
                    record
                        .made_directories
                        .extend_from_slice(staged.made_directories());
                }
                all.push(Some(staged));
            }
            Err(failure) => {
                drop_all(all);
                return Err(failure);
            }
        }
    }
    Ok(all)
}

fn drop_all(staged: Vec<Option<Staged>>) {
    // The directories of the first may hold those of the second.
    for staged in staged.into_iter().rev().flatten() {
        staged.drop_it();
    }
}

/// Puts each new version in its place; on a failure, which files were written before it.
fn replace(plan: &Plan, staged: Vec<Option<Staged>>) -> Result<Outcome, (Vec<String>, Failure)> {
    let mut written = Vec::new();
    let mut left = staged.into_iter();
    for step in &plan.steps {
        let staged = left.next().flatten();
        let done = match (&step.after, staged) {
            (After::Same, _) | (After::Text(_), None) => continue,
            (After::Nothing, _) => step.seen.remove(),
            (After::Text(_), Some(staged)) => staged.replace(&step.seen),
        };
        match done {
            Ok(Outcome::Done) => written.push(step.seen.path.display().to_string()),
            Ok(Outcome::Changed) => {
                drop_all(left.collect());
                return Ok(Outcome::Changed);
            }
            Err(failure) => {
                drop_all(left.collect());
                return Err((written, failure));
            }
        }
    }
    Ok(Outcome::Done)
}

fn restore(
    data_dir: &DataDir,
    host: Host,
    known: Option<&Record>,
    written: &Record,
) -> Result<(), Failure> {
    match known {
        Some(known) => record::write(data_dir, host, known),
        None => record::forget(data_dir, host, written),
    }
}

fn half_done(host: Host, written: &[String], failure: Failure) -> Failure {
    if written.is_empty() {
        return failure;
    }
    let word = host.word();
    Failure::local(format!(
        "{} ({} was written before)",
        failure.message,
        written.join(", ")
    ))
    .hint(format!(
        "mend that and try again; or `ipc setup {word} --uninstall`"
    ))
}

fn too_busy(host: Host) -> Failure {
    Failure::local(format!("{} keeps writing to its files", host.title()))
        .hint("close it, then try again")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn step(path: &Path, text: &str) -> Step {
        Step {
            seen: file::read(path).unwrap(),
            after: After::Text(text.to_owned()),
            record: None,
            told: Told::default(),
        }
    }

    #[test]
    fn a_failure_at_the_second_file_says_what_was_written_before() {
        let room = tempfile::tempdir().unwrap();
        let first = room.path().join("first");
        let gone = room.path().join("gone");
        let mut plan = Plan {
            steps: vec![step(&first, "1"), step(&gone.join("second"), "2")],
        };
        let staged = stage(&mut plan).unwrap();
        std::fs::remove_dir_all(&gone).unwrap();
        let (written, failure) = replace(&plan, staged).unwrap_err();
        assert_eq!(written, [first.display().to_string()]);
        let failure = half_done(Host::Codex, &written, failure);
        assert!(
            failure.message.contains("first was written before"),
            "{failure:?}"
        );
        assert!(
            failure
                .hint
                .unwrap()
                .contains("ipc setup codex --uninstall")
        );
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_replaced_and_leaves_nothing_behind() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("file");
        std::fs::write(&path, "before").unwrap();
        let mut plan = Plan {
            steps: vec![step(&path, "ours"), step(&room.path().join("a/b/c"), "2")],
        };
        let staged = stage(&mut plan).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        assert_eq!(replace(&plan, staged).unwrap(), Outcome::Changed);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appeared_meanwhile_is_not_replaced() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("file");
        let mut plan = Plan {
            steps: vec![step(&path, "ours")],
        };
        let staged = stage(&mut plan).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        assert_eq!(replace(&plan, staged).unwrap(), Outcome::Changed);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
    }
}
