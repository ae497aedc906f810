//! The commands, one file each; small ones of a family share one.

mod admin;
mod agent;
mod check;
pub(crate) mod completions;
mod daemon;
mod daemon_run;
pub(crate) mod doctor;
mod fetching;
mod large;
mod list;
mod quickstart;
mod read;
mod receipts;
mod register;
mod rename;
mod restore;
mod rotate_secret;
mod send;
pub(crate) mod service;
mod session;
mod setup;
mod status;
mod text;
mod watch;

use crate::args::{AdminCommand, Command, DaemonCommand};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Does `command`.
pub(crate) fn run(context: &mut Context, command: Command) -> Result<ExitStatus, Failure> {
    match command {
        Command::Register(arguments) => register::run(context, &arguments),
        Command::Unregister => agent::unregister(context),
        Command::Offline => agent::offline(context),
        Command::Send(arguments) => send::send(context, arguments),
        Command::Broadcast(arguments) => send::broadcast(context, arguments),
        Command::Reply(arguments) => send::reply(context, arguments),
        Command::Forward(arguments) => send::forward(context, arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Read(arguments) => read::run(context, &arguments),
        Command::Watch(arguments) => watch::run(context, &arguments),
        Command::Receipts(arguments) => receipts::receipts(context, &arguments),
        Command::DeadLetters(arguments) => receipts::dead_letters(context, &arguments),
        Command::List => list::run(context),
        Command::Whoami => agent::whoami(context),
        Command::Rename(arguments) => rename::run(context, arguments),
        Command::Renew => session::renew(context),
        Command::Revoke(arguments) => session::revoke(context, &arguments),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Daemon(command) => run_daemon(context, &command),
        Command::Service(command) => service::run(context, &command),
        Command::Admin(command) => run_admin(context, command),
        Command::Setup(arguments) => setup::run(context, &arguments),
        // Looked at before there is a context, which it may find fault with.
        Command::Doctor => Ok(ExitStatus::Done),
        Command::Quickstart => quickstart::run(context),
        Command::Completions(arguments) => completions::run(context.screen, &arguments),
    }
}

fn run_daemon(context: &mut Context, command: &DaemonCommand) -> Result<ExitStatus, Failure> {
    match command {
        DaemonCommand::Run(arguments) => daemon_run::run(context, arguments),
        DaemonCommand::Start => daemon::start(context),
        DaemonCommand::Stop => daemon::stop(context),
        DaemonCommand::Restart => daemon::restart(context),
    }
}

fn run_admin(context: &mut Context, command: AdminCommand) -> Result<ExitStatus, Failure> {
    match command {
        AdminCommand::Backup => admin::backup(context),
        AdminCommand::Restore(arguments) => restore::run(context, &arguments),
        AdminCommand::Release { name } => admin::release(context, name),
        AdminCommand::Revoke { name } => admin::revoke(context, name),
        AdminCommand::RotateSecret(arguments) => rotate_secret::run(context, &arguments),
    }
}
