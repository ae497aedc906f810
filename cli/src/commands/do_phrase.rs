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
    RegisterArguments, RenameArguments, ReplyArguments, SendArguments, StatusArguments,
    TextArguments,
};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::mailbox;
use crate::output::lines::Lines;
use crate::output::shell;
use crate::phrases::{self, AutoCheck, Deed, Doubt, Intent};

/// Understands the phrase, says so, and does it unless only asked to show it.
pub(crate) fn run(context: Context, arguments: &DoArguments) -> Result<ExitStatus, Failure> {
    let phrase = super::text::words(&arguments.phrase)?;
    let deed = match phrases::understand(&phrase)? {
        Intent::CallMe(name) => called(&context, name)?,
        Intent::Deed(deed) => deed,
    };
    if arguments.dry_run {
        return show(&context, &deed);
    }
    let understood = json!({"understood": told::value(&deed)});
    context
        .screen
        .remark(&understood, || told::understood(&deed));
    super::run(context, command(deed))
}

/// Shows what would be done. Needs no daemon.
fn show(context: &Context, deed: &Deed) -> Result<ExitStatus, Failure> {
    let words = told::words(context.acting_as.as_ref(), deed);
    let value = json!({"command": words, "understood": told::value(deed)});
    context.screen.result(&value, || {
        let mut lines = Lines::default();
        lines.add(told::understood(deed));
        lines.add(format!("command: {}", shell::line(&words)));
        lines.into_text()
    })?;
    Ok(ExitStatus::Done)
}

/// Whether to register or to rename, for somebody who wants to be called `name`. Who says the name
/// that it has comes back to it, which changes nothing and is no rename.
fn called(context: &Context, name: Name) -> Result<Deed, Failure> {
    let here = mailbox::find_if_any(context, &name)?;
    let is_new = here.is_some_and(|record| record.name != name);
    Ok(if is_new {
        Deed::Rename(name)
    } else {
        Deed::Register(name)
    })
}

/// The command that does it.
fn command(deed: Deed) -> Command {
    match deed {
        Deed::Register(name) => Command::Register(RegisterArguments {
            name,
            takeover: false,
        }),
        Deed::Rename(new_name) => Command::Rename(RenameArguments { new_name }),
        Deed::Send { to, text } => Command::Send(SendArguments {
            to: Recipient::Name(to),
            content: content(text),
            known: false,
            kind: Kind::Message,
            reply_to: None,
            wait: None,
        }),
        Deed::Broadcast(text) => Command::Broadcast(content(text)),
        Deed::Reply(text) => Command::Reply(ReplyArguments {
            content: content(text),
            id: None,
            private: false,
            interim: false,
        }),
        Deed::Forward(to) => Command::Forward(ForwardArguments {
            words: vec![to.into()],
            idempotency_key: None,
        }),
        Deed::Check => Command::Check(CheckArguments {
            wait: None,
            limit: None,
            peek: false,
            filter: FilterArguments::default(),
            exit_code: false,
        }),
        Deed::List => Command::List,
        Deed::Whoami => Command::Whoami,
        Deed::Status => Command::Status(StatusArguments { metrics: false }),
        Deed::AutoCheck(wanted) => Command::AutoCheck(match wanted {
            AutoCheck::Start(minutes) => AutoCheckCommand::Start {
                minutes: minutes.map_or(AUTO_CHECK_DEFAULT, |m| m.number().into()),
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
                Deed::Send {
                    to,
                    text: text.clone(),
                },
                Deed::Broadcast(text.clone()),
                Deed::Reply(text),
            ]
        };
        let others = [
            Deed::Register(name("fred")),
            Deed::Rename(name("-fred")),
            Deed::Forward(name("barney")),
            Deed::Check,
            Deed::List,
            Deed::Whoami,
            Deed::Status,
            Deed::AutoCheck(AutoCheck::Start(phrases::Minutes::parse("7"))),
            Deed::AutoCheck(AutoCheck::Start(None)),
            Deed::AutoCheck(AutoCheck::Stop),
            Deed::AutoCheck(AutoCheck::Status),
        ];
        for deed in texts.iter().flat_map(with_text).chain(others) {
            let words = told::words(Some(&name("alice")), &deed);
            let parsed = Arguments::try_parse_from(&words);
            let parsed = parsed.unwrap_or_else(|error| panic!("{words:?}: {error}"));
            assert_eq!(parsed.globals.acting_as, Some(name("alice")));
            let done = command(deed);
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
