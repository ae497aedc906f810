//! `ipc do`: what a phrase asks for, said first and then done as the command for it does it.
//!
//! What a phrase means is elsewhere: [`crate::phrases`]. What is said about it goes to standard
//! error, so that standard output is that of the command.

mod told;

use ipc_protocol::limits::AUTO_CHECK_DEFAULT;
use ipc_protocol::message::Kind;
use ipc_protocol::name::{Name, Recipient};
use serde_json::json;

use crate::args::{
    AutoCheckCommand, CheckArguments, Command, DoArguments, FilterArguments, ForwardArguments,
    ListArguments, ProfileArguments, RegisterArguments, RenameArguments, ReplyArguments,
    SendArguments, StatusArguments, TextArguments,
};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::mailbox;
use crate::output::lines::Lines;
use crate::output::shell;
use crate::phrases::{self, Action, AutoCheck, Doubt, Intent};

/// Understands the phrase, says so, and does it unless only asked to show it.
pub(crate) fn run(context: Context, arguments: &DoArguments) -> Result<ExitStatus, Failure> {
    let phrase = super::text::words(&arguments.phrase)?;
    let action = match phrases::understand(&phrase)? {
        Intent::CallMe(name) => called(&context, name)?,
        Intent::Action(action) => action,
    };
    if arguments.dry_run {
        return show(&context, &action);
    }
    let understood = json!({"understood": told::value(&action)});
    context
        .screen
        .remark(&understood, || told::understood(&action));
    super::run(context, command(action))
}

/// Shows what would be done. Needs no daemon.
fn show(context: &Context, action: &Action) -> Result<ExitStatus, Failure> {
    let words = told::words(context.acting_as.as_ref(), action);
    let value = json!({"command": words, "understood": told::value(action)});
    context.screen.result(&value, || {
        let mut lines = Lines::default();
        lines.add(told::understood(action));
        lines.add(format!("command: {}", shell::line(&words)));
        lines.into_text()
    })?;
    Ok(ExitStatus::Done)
}

/// Whether to register or to rename, for somebody who wants to be called `name`. Who says the name
/// that it has comes back to it, which changes nothing and is no rename.
fn called(context: &Context, name: Name) -> Result<Action, Failure> {
    let here = mailbox::find_if_any(context, &name)?;
    let is_new = here.is_some_and(|record| record.name != name);
    Ok(if is_new {
        Action::Rename(name)
    } else {
        Action::Register(name)
    })
}

/// The command that does it.
fn command(action: Action) -> Command {
    match action {
        Action::Register(name) => Command::Register(RegisterArguments {
            name,
            takeover: false,
            profile: ProfileArguments::default(),
        }),
        Action::Rename(new_name) => Command::Rename(RenameArguments { new_name }),
        Action::Send { to, text } => Command::Send(SendArguments {
            to: Recipient::Name(to),
            content: content(text),
            known: false,
            kind: Kind::Message,
            reply_to: None,
            wait: None,
        }),
        Action::Broadcast(text) => Command::Broadcast(content(text)),
        Action::Reply(text) => Command::Reply(ReplyArguments {
            content: content(text),
            id: None,
            private: false,
            interim: false,
        }),
        Action::Forward(to) => Command::Forward(ForwardArguments {
            words: vec![to.into()],
            idempotency_key: None,
        }),
        Action::Check => Command::Check(CheckArguments {
            wait: None,
            limit: None,
            peek: false,
            filter: FilterArguments::default(),
            exit_code: false,
        }),
        Action::List => Command::List(ListArguments::default()),
        Action::Whoami => Command::Whoami,
        Action::Status => Command::Status(StatusArguments { metrics: false }),
        Action::AutoCheck(wanted) => Command::AutoCheck(match wanted {
            AutoCheck::Start(minutes) => AutoCheckCommand::Start {
                minutes: minutes.map_or(AUTO_CHECK_DEFAULT, |m| m.number().into()),
                on_arrival: false,
            },
            AutoCheck::Stop => AutoCheckCommand::Stop,
            AutoCheck::Status => AutoCheckCommand::Status,
        }),
    }
}

fn content(text: String) -> TextArguments {
    TextArguments {
        text: vec![text],
        stdin: false,
        file: None,
        data: None,
        idempotency_key: None,
    }
}

impl From<Doubt> for Failure {
    fn from(doubt: Doubt) -> Self {
        let [first, second, third] = &doubt.nearest;
        let hint = format!("nothing was done; say `{first}`, `{second}` or `{third}`");
        Self::usage(doubt.to_string()).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Arguments;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn the_command_that_is_shown_is_the_one_that_is_done() {
        let texts = [
            "need help",
            "-n",
            "--json",
            "it's",
            "a\nb",
            "- -",
            "--",
            "m.0",
            "x",
        ];
        let with_text = |text: &&str| {
            let text = (*text).to_owned();
            let to = name("bob");
            [
                Action::Send {
                    to,
                    text: text.clone(),
                },
                Action::Broadcast(text.clone()),
                Action::Reply(text),
            ]
        };
        let others = [
            Action::Register(name("fred")),
            Action::Rename(name("-fred")),
            Action::Forward(name("barney")),
            Action::Check,
            Action::List,
            Action::Whoami,
            Action::Status,
            Action::AutoCheck(AutoCheck::Start(phrases::Minutes::parse("7"))),
            Action::AutoCheck(AutoCheck::Start(None)),
            Action::AutoCheck(AutoCheck::Stop),
            Action::AutoCheck(AutoCheck::Status),
        ];
        for action in texts.iter().flat_map(with_text).chain(others) {
            let words = told::words(Some(&name("alice")), &action);
            let parsed = Arguments::try_parse_from(&words);
            let parsed = parsed.unwrap_or_else(|error| panic!("{words:?}: {error}"));
            assert_eq!(parsed.globals.acting_as, Some(name("alice")));
            let done = command(action);
            assert_eq!(format!("{:?}", parsed.command), format!("{done:?}"));
        }
    }

    #[test]
    fn a_doubt_is_wrong_usage_with_three_forms() {
        let failure = Failure::from(phrases::understand("frobnicate").unwrap_err());
        assert_eq!(failure.status, ExitStatus::Usage);
        assert_eq!(failure.hint.unwrap().matches('`').count(), 6);
    }
}
