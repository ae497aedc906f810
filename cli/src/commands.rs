//! The commands, one file each; small ones of a family share one.

mod admin;
pub(crate) mod agent;
mod answers;
mod audit;
mod auto_check;
mod auto_check_run;
mod boundaries;
mod check;
pub(crate) mod completions;
mod conversation;
mod daemon;
mod daemon_run;
mod describe;
mod do_phrase;
pub(crate) mod doctor;
mod fetching;
pub(crate) mod help;
mod history;
pub(crate) mod hook;
mod incident;
mod inside;
mod large;
mod list;
mod mail_notices;
mod mail_stream;
mod mcp;
mod migrate;
mod notices;
mod outage;
mod pings;
mod quickstart;
mod read;
mod receipts;
mod register;
pub(crate) mod rename;
mod restore;
mod rotate_secret;
mod send;
pub(crate) mod service;
mod session;
mod setup;
mod status;
mod text;
mod wanted;
mod watch;
mod watch_exec;
mod watch_notices;

use ipc_protocol::request::BoundaryRule;

use crate::args::{AdminCommand, Command, DaemonCommand};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Does `command`.
pub(crate) fn run(mut context: Context, command: Command) -> Result<ExitStatus, Failure> {
    match command {
        Command::Register(arguments) => register::run(&mut context, &arguments),
        Command::Unregister => agent::unregister(&mut context),
        Command::Offline => agent::offline(&mut context),
        Command::Send(arguments) => send::send(&mut context, arguments),
        Command::Broadcast(arguments) => send::broadcast(&mut context, arguments),
        Command::Reply(arguments) => send::reply(&mut context, arguments),
        Command::Forward(arguments) => send::forward(&mut context, arguments),
        Command::Check(arguments) => check::run(&mut context, &arguments),
        Command::Read(arguments) => read::run(&mut context, &arguments),
        Command::History(arguments) => history::run(&mut context, &arguments),
        Command::Watch(arguments) => watch::run(&mut context, &arguments),
        Command::Conversation(command) => conversation::run(&mut context, command),
        Command::AutoCheck(command) => auto_check::run(&mut context, &command),
        Command::Notices(command) => notices::run(&mut context, &command),
        Command::Hook(arguments) => hook::run(&mut context, &arguments),
        Command::Receipts(arguments) => receipts::receipts(&mut context, &arguments),
        Command::DeadLetters(arguments) => receipts::dead_letters(&mut context, &arguments),
        Command::List(arguments) => list::run(&mut context, arguments),
        Command::SetStatus(arguments) => describe::set_status(&mut context, &arguments),
        Command::SetSummary(arguments) => describe::set_summary(&mut context, &arguments),
        Command::Block(arguments) => {
            boundaries::set(&mut context, arguments.rule, BoundaryRule::Block)
        }
        Command::Mute(arguments) => {
            boundaries::set(&mut context, arguments.rule, BoundaryRule::Mute)
        }
        Command::Allow(arguments) => boundaries::allow(&mut context, arguments),
        Command::Boundaries => boundaries::show(&mut context),
        Command::Whoami => agent::whoami(&mut context),
        Command::Rename(arguments) => rename::run(&mut context, arguments),
        Command::Do(arguments) => do_phrase::run(context, &arguments),
        Command::Renew => session::renew(&mut context),
        Command::Revoke(arguments) => session::revoke(&mut context, &arguments),
        Command::Status(arguments) => status::run(&mut context, &arguments),
        Command::Daemon(command) => run_daemon(&mut context, &command),
        Command::Service(command) => service::run(&mut context, &command),
        Command::Admin(command) => run_admin(&mut context, command),
        Command::Mcp(arguments) => mcp::run(context, &arguments),
        Command::Setup(arguments) => setup::run(&context, &arguments),
        // Looked at before there is a context, which it may find fault with.
        Command::Doctor => Ok(ExitStatus::Done),
        Command::Quickstart => quickstart::run(&mut context),
        Command::Completions(arguments) => completions::run(context.screen, &arguments),
        Command::Help(arguments) => help::run(context.screen, &arguments),
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
        AdminCommand::Migrate(arguments) => migrate::run(context, &arguments),
        AdminCommand::Release { name } => admin::release(context, name),
        AdminCommand::Revoke(arguments) => admin::revoke(context, arguments),
        AdminCommand::Freeze(arguments) => incident::freeze(context, arguments),
        AdminCommand::Thaw(arguments) => incident::thaw(context, arguments),
        AdminCommand::Readers(arguments) => incident::readers(context, arguments),
        AdminCommand::Audit(command) => audit::run(context, &command),
        AdminCommand::RotateSecret(arguments) => rotate_secret::run(context, &arguments),
    }
}
