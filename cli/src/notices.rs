//! The line in a project's `CLAUDE.md` that reads what waits for an agent: put in, and taken out to
//! the byte.
//!
//! What always holds: only our own three lines are put in or taken out; a file that cannot be changed
//! safely is refused before the daemon is asked for anything; and where a later step fails, what was
//! done before it is undone, so that the line and the daemon's word are both there or both are not.

mod block;
mod record;

use std::path::{Path, PathBuf};

use ipc_protocol::id::AgentId;
use ipc_protocol::paths::DataDir;
use ipc_protocol::request::{NoticesAction, NoticesReport};
use serde::Serialize;

use crate::failure::Failure;
use crate::setup::file::{self, Outcome, Seen};
use block::Block;
use record::Record;

/// The file that Claude Code reads in a project's folder.
const FILE: &str = "CLAUDE.md";

/// What is to be said whenever it is on.
pub(crate) const ABOUT: &str = "Claude Code asks once before it loads a file from outside of the \
     project; until you agree it reads none of it. The sure way is the hook for SessionStart: \
     `ipc setup claude`";

/// The notices of one agent in one project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProjectNotices<'a> {
    pub(crate) data_dir: &'a DataDir,
    pub(crate) agent: AgentId,
    /// The project's folder.
    pub(crate) project: Option<&'a Path>,
}

/// How it stands.
#[derive(Debug, Serialize)]
pub(crate) struct Standing {
    #[serde(flatten)]
    pub(crate) report: NoticesReport,
    /// What the daemon writes.
    pub(crate) notice_file: PathBuf,
    /// The file with the line that reads it.
    pub(crate) imported_in: Option<PathBuf>,
}

/// A file with our line in it, or about to be.
struct Edit {
    path: PathBuf,
    seen: Seen,
    /// What it is to hold; nothing: it is not to be there.
    after: Option<String>,
}

impl ProjectNotices<'_> {
    /// Does what `action` says; `call` asks the daemon.
    pub(crate) fn switch(
        &self,
        action: NoticesAction,
        call: &mut dyn FnMut(NoticesAction) -> Result<NoticesReport, Failure>,
    ) -> Result<Standing, Failure> {
        let report = match action {
            NoticesAction::On => self.put_in(call)?,
            NoticesAction::Off => self.take_out(call)?,
            NoticesAction::Status => call(action)?,
        };
        Ok(Standing {
            report,
            notice_file: self.data_dir.notice(self.agent),
            imported_in: self.imported_in()?,
        })
    }

    /// Takes out what was put in for an agent that is no more.
    pub(crate) fn leave(&self) -> Result<(), Failure> {
        if Record::read(self.data_dir, self.agent)?.is_none() {
            return Ok(());
        }
        let gone = |_| {
            Ok(NoticesReport {
                on: false,
                since_ms: None,
            })
        };
        self.take_out(&mut { gone }).map(|_| ())
    }

    fn put_in(
        &self,
        call: &mut dyn FnMut(NoticesAction) -> Result<NoticesReport, Failure>,
    ) -> Result<NoticesReport, Failure> {
        let path = self.file()?;
        if let Some(other) = self.imported_in()?.filter(|other| *other != path) {
            let other = other.display();
            return Err(
                Failure::local(format!("notices are on already, in {other}"))
                    .hint("`ipc notices off` takes that back first"),
            );
        }
        let block = Block::new(self.data_dir, self.agent)?;
        let seen = look(&path)?;
        let old = seen.text.clone().unwrap_or_default();
        if block
            .find(&old, None)
            .map_err(|why| broken(&path, why))?
            .is_some()
        {
            return call(NoticesAction::On);
        }
        let text = block.at_the_end_of(&old);
        let record = Record {
            path: path.clone(),
            made: seen.text.is_none(),
            text: text.clone(),
        };
        let edit = Edit {
            path,
            seen,
            after: Some(old + &text),
        };
        record.write(self.data_dir, self.agent)?;
        let done = edit.with(NoticesAction::On, NoticesAction::Off, call);
        if done.is_err() {
            Record::forget(self.data_dir, self.agent)?;
        }
        done
    }

    fn take_out(
        &self,
        call: &mut dyn FnMut(NoticesAction) -> Result<NoticesReport, Failure>,
    ) -> Result<NoticesReport, Failure> {
        let record = Record::read(self.data_dir, self.agent)?;
        let path = match &record {
            Some(record) => record.path.clone(),
            None => self.file()?,
        };
        let done = match self.without(&path, record.as_ref())? {
            Some(edit) => edit.with(NoticesAction::Off, NoticesAction::On, call)?,
            None => call(NoticesAction::Off)?,
        };
        Record::forget(self.data_dir, self.agent)?;
        Ok(done)
    }

    /// How the file at `path` loses our line; nothing where it has none.
    fn without(&self, path: &Path, record: Option<&Record>) -> Result<Option<Edit>, Failure> {
        let seen = look(path)?;
        let Some(old) = seen.text.clone() else {
            return Ok(None);
        };
        let block = Block::new(self.data_dir, self.agent)?;
        let as_put = record.map(|record| record.text.as_str());
        let found = block.find(&old, as_put).map_err(|why| broken(path, why))?;
        let Some((before, after)) =
            found.and_then(|ours| Some((old.get(..ours.start)?, old.get(ours.end..)?)))
        else {
            return Ok(None);
        };
        let rest = [before, after].concat();
        let is_ours_alone = rest.is_empty() && record.is_some_and(|record| record.made);
        Ok(Some(Edit {
            path: path.to_owned(),
            seen,
            after: (!is_ours_alone).then_some(rest),
        }))
    }

    /// The file that has our line, where we put it.
    fn imported_in(&self) -> Result<Option<PathBuf>, Failure> {
        let Some(record) = Record::read(self.data_dir, self.agent)? else {
            return Ok(None);
        };
        let block = Block::new(self.data_dir, self.agent)?;
        let text = std::fs::read_to_string(&record.path).unwrap_or_default();
        // Lines that somebody broke are there, too.
        let is_there = !matches!(block.find(&text, Some(&record.text)), Ok(None));
        Ok(is_there.then_some(record.path))
    }

    fn file(&self) -> Result<PathBuf, Failure> {
        let project = self.project.filter(|project| project.is_absolute());
        project.map(|project| project.join(FILE)).ok_or_else(|| {
            Failure::usage("it does not say which project this is")
                .hint("run it in the project's folder")
        })
    }
}

impl Edit {
    /// Makes the daemon and the file agree: `action` first, and `back` where the file fails then.
    fn with(
        self,
        action: NoticesAction,
        back: NoticesAction,
        call: &mut dyn FnMut(NoticesAction) -> Result<NoticesReport, Failure>,
    ) -> Result<NoticesReport, Failure> {
        let staged = match &self.after {
            Some(text) => Some(self.seen.stage(text)?),
            None => None,
        };
        let report = match call(action) {
            Ok(report) => report,
            Err(failure) => {
                if let Some(staged) = staged {
                    staged.drop_it();
                }
                return Err(failure);
            }
        };
        let written = match staged {
            Some(staged) => staged.replace(&self.seen),
            None => self.seen.remove(),
        };
        let failure = match written {
            Ok(Outcome::Done) => return Ok(report),
            Ok(Outcome::Changed) => Failure::local(format!(
                "{} was changed meanwhile; nothing was written",
                self.path.display()
            ))
            .hint("try again"),
            Err(failure) => failure,
        };
        call(back)?;
        Err(failure)
    }
}

/// Reads the file; a link is not followed: what it leads to may belong to other projects.
fn look(path: &Path) -> Result<Seen, Failure> {
    if path.is_symlink() {
        let shown = path.display();
        return Err(
            Failure::local(format!("{shown} is a link; nothing was written"))
                .hint("make it a file of this project, or use `ipc setup claude`"),
        );
    }
    file::read(path)
}

fn broken(path: &Path, why: &'static str) -> Failure {
    let shown = path.display();
    Failure::local(format!("{shown}: {why}; nothing was written"))
        .hint("take the lines with `ipc notices` in it out by hand, then try again")
}
