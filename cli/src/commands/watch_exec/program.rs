//! A program that is run for each message.
//!
//! It gets an argument vector that nothing is added to, the message as its standard input, and
//! values that have been parsed in its environment: no word of a peer stands where a shell or a
//! program would take it for more than text. The shared secret is not handed on.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use ipc_protocol::message::Mail;
use ipc_protocol::name::Name;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::context::{Context, absolute};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::stop::{Awaited, Stop};

/// How long a program has to end once it is told to.
const GRACE: Duration = Duration::from_secs(10);

/// A program and the words that follow it.
#[derive(Debug)]
pub(super) struct Program {
    /// Where it was found; it is not looked up again.
    path: PathBuf,
    /// As it was typed.
    called: OsString,
    words: Vec<OsString>,
}

/// How one run ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// With status 0.
    Done,
    /// In some other way; in words.
    Failed(String),
    /// It was ended, because the command is to end.
    Stopped,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.called.to_string_lossy())
    }
}

impl Program {
    /// Finds the program that `words` begin with.
    pub(super) fn find(words: &[OsString], environment: &Environment) -> Result<Self, Failure> {
        let Some((called, words)) = words.split_first() else {
            return Err(Failure::usage("--exec takes a program"));
        };
        let shown = called.to_string_lossy().into_owned();
        let path = if shown.contains('/') {
            Some(absolute(Path::new(called))?).filter(|path| is_program(path))
        } else {
            look_up(called, environment)
        };
        let path = path.ok_or_else(|| {
            Failure::usage(format!(
                "there is no program {shown} to run; no mail was taken"
            ))
            .hint("--exec takes a program and its arguments, each a word of its own; no shell")
        })?;
        Ok(Self {
            path,
            called: called.clone(),
            words: words.to_vec(),
        })
    }

    /// Runs it to its end, or until `stop` says that it is over: then it is told to end, with
    /// everything that it started, and killed if it does not.
    pub(super) fn run(
        &self,
        context: &Context,
        name: &Name,
        mail: &Mail,
        input: &str,
        stop: &Stop,
    ) -> Result<Outcome, Failure> {
        let failed = |error: io::Error| Failure::local(format!("running it: {error}"));
        let mut command = Command::new(&self.path);
        command.arg0(&self.called).args(&self.words);
        command.stdin(standard_input(context, input).map_err(failed)?);
        // A group of its own, so that what it starts can be ended with it.
        command.process_group(0);
        tell(&mut command, context, name, mail);
        let mut child = command.spawn().map_err(failed)?;
        let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
            return Err(Failure::local("running it: it has no process id"));
        };
        // Not reaped there: until we do that, its number cannot become another's.
        let awaited = stop
            .begin("program", move || await_end(pid))
            .map_err(failed)?;
        let was_stopped = !stop.pause_for(&awaited);
        if was_stopped && let Err(error) = end(pid, stop, &awaited) {
            let text = format!("warning: {self} cannot be ended ({error}); waiting for it");
            context.screen.note(&text);
        }
        conclude(&mut child, was_stopped).map_err(failed)
    }
}

/// The text in a file without a name: a program that reads none of it holds nobody up.
fn standard_input(context: &Context, input: &str) -> io::Result<File> {
    let mut file = tempfile::tempfile_in(context.data_dir.root())?;
    file.write_all(input.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

fn tell(command: &mut Command, context: &Context, name: &Name, mail: &Mail) {
    let sender = mail.from.as_ref();
    let values = [
        ("IPC_MESSAGE_ID", Some(mail.id.to_string())),
        ("IPC_FROM", sender.map(|sender| sender.name.to_string())),
        (
            "IPC_FROM_ID",
            sender.map(|sender| sender.agent_id.to_string()),
        ),
        ("IPC_KIND", Some(mail.kind.as_str().to_owned())),
        ("IPC_REPLY_TO", mail.reply_to.map(|id| id.to_string())),
        (
            "IPC_REDELIVERED",
            Some(u8::from(mail.redelivered).to_string()),
        ),
        ("IPC_INSTANCE", Some(name.to_string())),
    ];
    for (variable, value) in values {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    command.env("IPC_DATA_DIR", context.data_dir.root());
    command.env_remove("IPC_SHARED_SECRET");
}

fn await_end(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
}

/// Ends the group of `pid`, which has not been reaped, so that there is such a group.
fn end(pid: Pid, stop: &Stop, awaited: &Awaited) -> rustix::io::Result<()> {
    kill_process_group(pid, Signal::TERM)?;
    if stop.await_end(awaited, GRACE) {
        return Ok(());
    }
    kill_process_group(pid, Signal::KILL)
}

/// A program that was told to end and had done its work all the same has done it.
fn conclude(child: &mut Child, was_stopped: bool) -> io::Result<Outcome> {
    let status = child.wait()?;
    Ok(match status {
        _ if status.success() => Outcome::Done,
        _ if was_stopped => Outcome::Stopped,
        _ => Outcome::Failed(status.to_string()),
    })
}

/// Directories that depend on where a command runs are left out.
fn look_up(called: &OsString, environment: &Environment) -> Option<PathBuf> {
    let directories = environment.search_path.as_deref()?;
    std::env::split_paths(directories)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(called))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}
