//! A deed put into words: for people, for scripts, and as a command.

use ipc_protocol::name::Name;
use serde_json::{Value, json};

use crate::output::safe;
use crate::phrases::{AutoCheck, Deed};

/// Characters of a text that people are shown, at most.
const SHOWN: usize = 200;

/// One line for people. Text in it is shown, not obeyed.
pub(super) fn understood(deed: &Deed) -> String {
    let what = match deed {
        Deed::Register(name) => format!("register as {name}"),
        Deed::Rename(name) => format!("rename to {name}"),
        Deed::Send { to, text } => format!("send to {to}: {}", cut(text)),
        Deed::Broadcast(text) => format!("broadcast to everyone: {}", cut(text)),
        Deed::Reply(text) => format!("reply to the last message: {}", cut(text)),
        Deed::Forward(to) => format!("forward the last message to {to}"),
        Deed::Check => "check messages".to_owned(),
        Deed::List => "list agents".to_owned(),
        Deed::Whoami => "show whose mailbox this is".to_owned(),
        Deed::Status => "show how the daemon is".to_owned(),
        Deed::AutoCheck(AutoCheck::Start(None)) => "start auto-check".to_owned(),
        Deed::AutoCheck(AutoCheck::Start(Some(minutes))) => {
            format!("start auto-check, minutes between: {}", minutes.number())
        }
        Deed::AutoCheck(AutoCheck::Stop) => "stop auto-check".to_owned(),
        Deed::AutoCheck(AutoCheck::Status) => "show auto-check".to_owned(),
    };
    format!("understood: {}", safe::line(&what))
}

fn cut(text: &str) -> String {
    text.char_indices().nth(SHOWN).map_or_else(
        || text.to_owned(),
        |(at, _)| {
            let shown = text.get(..at).unwrap_or_default();
            format!("{shown}… ({} bytes in all)", text.len())
        },
    )
}

/// The same for scripts: `intent`, and its places.
pub(super) fn value(deed: &Deed) -> Value {
    match deed {
        Deed::Register(name) => json!({"intent": "register", "name": name}),
        Deed::Rename(name) => json!({"intent": "rename", "name": name}),
        Deed::Send { to, text } => json!({"intent": "send", "text": text, "to": to}),
        Deed::Broadcast(text) => json!({"intent": "broadcast", "text": text}),
        Deed::Reply(text) => json!({"intent": "reply", "text": text}),
        Deed::Forward(to) => json!({"intent": "forward", "to": to}),
        Deed::Check => json!({"intent": "check"}),
        Deed::List => json!({"intent": "list"}),
        Deed::Whoami => json!({"intent": "whoami"}),
        Deed::Status => json!({"intent": "status"}),
        Deed::AutoCheck(AutoCheck::Start(minutes)) => {
            let minutes = minutes.map(crate::phrases::Minutes::number);
            json!({"intent": "auto_check_start", "minutes": minutes})
        }
        Deed::AutoCheck(AutoCheck::Stop) => json!({"intent": "auto_check_stop"}),
        Deed::AutoCheck(AutoCheck::Status) => json!({"intent": "auto_check_status"}),
    }
}

/// The command that does the same, for the agent `acting_as` if one was named, word by word.
pub(super) fn words(acting_as: Option<&Name>, deed: &Deed) -> Vec<String> {
    let mut words = vec!["ipc".to_owned()];
    if let Some(name) = acting_as {
        words.push(format!("--as={name}"));
    }
    let (command, places) = command(deed);
    words.extend(command.iter().map(|word| (*word).to_owned()));
    if places.iter().any(|place| place.starts_with('-')) {
        words.push("--".to_owned());
    }
    words.extend(places);
    words
}

fn command(deed: &Deed) -> (&'static [&'static str], Vec<String>) {
    match deed {
        Deed::Register(name) => (&["register"], vec![name.to_string()]),
        Deed::Rename(name) => (&["rename"], vec![name.to_string()]),
        Deed::Send { to, text } => (&["send"], vec![to.to_string(), text.clone()]),
        Deed::Broadcast(text) => (&["broadcast"], vec![text.clone()]),
        Deed::Reply(text) => (&["reply"], vec![text.clone()]),
        Deed::Forward(to) => (&["forward"], vec![to.to_string()]),
        Deed::Check => (&["check"], Vec::new()),
        Deed::List => (&["list"], Vec::new()),
        Deed::Whoami => (&["whoami"], Vec::new()),
        Deed::Status => (&["status"], Vec::new()),
        Deed::AutoCheck(AutoCheck::Start(minutes)) => {
            let minutes = minutes.map(|minutes| minutes.number().to_string());
            (&["auto-check", "start"], minutes.into_iter().collect())
        }
        Deed::AutoCheck(AutoCheck::Stop) => (&["auto-check", "stop"], Vec::new()),
        Deed::AutoCheck(AutoCheck::Status) => (&["auto-check", "status"], Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_understood_is_one_harmless_line_and_not_endless() {
        let text = format!("a\nb\u{1b}[2J{}", "x".repeat(500));
        let line = understood(&Deed::Broadcast(text));
        assert!(line.starts_with("understood: broadcast to everyone: a\\x0ab\\x1b[2Jx"));
        assert!(
            line.ends_with("… (507 bytes in all)") && line.len() < 300,
            "{line}"
        );
        assert!(!line.contains(['\n', '\u{1b}']));
    }
}
