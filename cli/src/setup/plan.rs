//! From what is there to what is to be there: planned for all files of a host, then written.
//!
//! A plan is made from files as they were read and is carried out only while they are the same; if
//! a host changes one meanwhile, another plan is made.

mod carry_out;
mod undo;

use serde::Serialize;

use super::document::{find, put_in};
use super::entry::{Entry, Found, Unfit};
use super::file::{self, Seen};
use super::host::{Host, HostFile};
use super::record::{FileRecord, Record, hash};
use super::text::line_number;
use crate::failure::Failure;

pub(crate) use carry_out::{install, uninstall};
use undo::undo;

/// A plan for one host.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// A step for each file.
    pub(crate) steps: Vec<Step>,
}

/// What is to become of one file.
#[derive(Debug)]
pub(crate) struct Step {
    /// The file as it was read.
    seen: Seen,
    /// What it is to hold.
    after: After,
    /// What to remember of it; nothing where nothing of ours is in it.
    record: Option<FileRecord>,
    /// What is told of it.
    pub(crate) told: Told,
}

/// What a file is to hold.
#[derive(Debug, PartialEq, Eq)]
enum After {
    /// What it holds.
    Same,
    /// This text.
    Text(String),
    /// It is not to be there.
    Nothing,
}

/// What is told of a file.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Told {
    /// The file.
    pub(crate) path: std::path::PathBuf,
    /// Places of what is put in.
    pub(crate) added: Vec<String>,
    /// Places of what is taken out.
    pub(crate) removed: Vec<String>,
    /// Places of what was changed by somebody since, and is left.
    pub(crate) left: Vec<String>,
    /// What changes, byte for byte.
    #[serde(skip)]
    pub(crate) hunks: Vec<Hunk>,
}

/// Bytes that are put in or taken out at one place.
#[derive(Debug)]
pub(crate) struct Hunk {
    /// Whether they are put in.
    pub(crate) is_added: bool,
    /// The line, counted from 1, in the file as it is at that moment.
    pub(crate) line: usize,
    /// The bytes.
    pub(crate) text: String,
}

impl Plan {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.after == After::Same)
    }
}

fn unfit(seen: &Seen, error: &Unfit) -> Failure {
    let path = seen.path.display();
    let failure = Failure::local(format!("{path}: {error}; nothing was written"));
    match error {
        Unfit::Invalid { .. } => failure.hint("mend the file; its host cannot read it either"),
        Unfit::Twice(_) => failure.hint("make one of the two, then try again"),
        Unfit::WrongType { .. } | Unfit::Closed(_) => {
            failure.hint("write the entry by hand: `--dry-run` in an empty HOME shows it")
        }
    }
}

/// The plan that puts what belongs into `files`.
pub(crate) fn plan(
    host: Host,
    files: &[HostFile],
    record: Option<&Record>,
) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    for file in files {
        let seen = file::read(&file.path)?;
        let known =
            record.and_then(|record| record.files.iter().find(|known| known.path == seen.path));
        plan.steps.push(step(host, file, seen, known)?);
    }
    let is_elsewhere =
        |known: &&FileRecord| !plan.steps.iter().any(|step| step.seen.path == known.path);
    if let Some(elsewhere) = record.and_then(|record| record.files.iter().find(is_elsewhere)) {
        let word = host.word();
        let path = elsewhere.path.display();
        return Err(
            Failure::local(format!("{} is set up already, in {path}", host.title())).hint(format!(
                "`ipc setup {word} --uninstall` takes that back first"
            )),
        );
    }
    Ok(plan)
}

fn step(
    host: Host,
    file: &HostFile,
    seen: Seen,
    known: Option<&FileRecord>,
) -> Result<Step, Failure> {
    let old = seen.text.clone().unwrap_or_default();
    if is_set_up(file, &seen, &old, known)? {
        return Ok(Step {
            told: Told {
                path: seen.path.clone(),
                ..Told::default()
            },
            record: known.cloned(),
            after: After::Same,
            seen,
        });
    }
    let mut told = Told {
        path: seen.path.clone(),
        ..Told::default()
    };
    let before = match known {
        Some(known) => undo(host, &old, known, &mut told).map_err(|error| unfit(&seen, &error))?,
        None => old.clone(),
    };
    // What was changed by somebody is in the way of what is to be there, and said so below.
    told.left.clear();
    let mut record = FileRecord {
        path: seen.path.clone(),
        made: seen.text.is_none() || known.is_some_and(|known| known.made),
        made_directories: known
            .map(|known| known.made_directories.clone())
            .unwrap_or_default(),
        before: hash(before.as_bytes()),
        after: String::new(),
        splices: Vec::new(),
        placed: Vec::new(),
    };
    let mut text = before;
    for entry in &file.entries {
        text = add(host, file, &seen, entry, text, &mut record, &mut told)?;
    }
    record.after = hash(text.as_bytes());
    let after = if text == old {
        After::Same
    } else {
        After::Text(text)
    };
    Ok(Step {
        seen,
        after,
        record: Some(record).filter(|record| !record.placed.is_empty()),
        told,
    })
}

/// Whether the file holds what belongs in it, and nothing of ours that does not.
fn is_set_up(
    file: &HostFile,
    seen: &Seen,
    text: &str,
    known: Option<&FileRecord>,
) -> Result<bool, Failure> {
    for entry in &file.entries {
        let found = find(file.format, text, entry).map_err(|error| unfit(seen, &error))?;
        if found != Found::Same {
            return Ok(false);
        }
    }
    let known = known.into_iter().flat_map(|known| &known.placed);
    Ok(known
        .into_iter()
        .all(|placed| file.entries.contains(&placed.entry)))
}

fn add(
    host: Host,
    file: &HostFile,
    seen: &Seen,
    entry: &Entry,
    text: String,
    record: &mut FileRecord,
    told: &mut Told,
) -> Result<String, Failure> {
    let unfit = |error: Unfit| unfit(seen, &error);
    match find(file.format, &text, entry).map_err(unfit)? {
        // Somebody else's, and just what is wanted: it stays theirs.
        Found::Same => return Ok(text),
        Found::Other => {
            let reason = format!(
                "{}: `{}` in it is not from this setup; nothing was written",
                seen.path.display(),
                entry.dotted_path()
            );
            return Err(Failure::local(reason)
                .hint(format!("`{}` if it may go, then try again", host.removal())));
        }
        Found::Nothing => {}
    }
    let put = put_in(file.format, &text, entry).map_err(unfit)?;
    told.added.push(entry.dotted_path());
    for splice in &put.splices {
        told.hunks.push(Hunk {
            is_added: true,
            line: line_number(&text, splice.at),
            text: splice.text.clone(),
        });
    }
    record.splices.extend(put.splices);
    record.placed.push(put.placed);
    Ok(put.text)
}
