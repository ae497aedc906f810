//! An action put into words: for people, for scripts, and as a command.

use ipc_protocol::name::Name;
use serde_json::{Value, json};

use crate::output::safe;
use crate::phrases::{Action, AutoCheck};

/// Characters of a text that people are shown, at most.
const SHOWN: usize = 200;

/// One line for people. Text in it is shown, not obeyed.
pub(super) fn understood(action: &Action) -> String {
    let what = match action {
        Action::Register(name) => format!("register as {name}"),
        Action::Rename(name) => format!("rename to {name}"),
        Action::Send { to, text } => format!("send to {to}: {}", cut(text)),
        Action::Broadcast(text) => format!("broadcast to everyone: {}", cut(text)),
        Action::Reply(text) => format!("reply to the last message: {}", cut(text)),
        Action::Forward(to) => format!("forward the last message to {to}"),
        Action::Check => "check messages".to_owned(),
        Action::List => "list agents".to_owned(),
        Action::Whoami => "show whose mailbox this is".to_owned(),
        Action::Status => "show how the daemon is".to_owned(),
        Action::AutoCheck(AutoCheck::Start(None)) => "start auto-check".to_owned(),
        Action::AutoCheck(AutoCheck::Start(Some(minutes))) => {
            format!("start auto-check, minutes between: {}", minutes.number())
        }
        Action::AutoCheck(AutoCheck::Stop) => "stop auto-check".to_owned(),
        Action::AutoCheck(AutoCheck::Status) => "show auto-check".to_owned(),
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
pub(super) fn value(action: &Action) -> Value {
    match action {
        Action::Register(name) => json!({"intent": "register", "name": name}),
        Action::Rename(name) => json!({"intent": "rename", "name": name}),
        Action::Send { to, text } => json!({"intent": "send", "text": text, "to": to}),
        Action::Broadcast(text) => json!({"intent": "broadcast", "text": text}),
        Action::Reply(text) => json!({"intent": "reply", "text": text}),
        Action::Forward(to) => json!({"intent": "forward", "to": to}),
        Action::Check => json!({"intent": "check"}),
        Action::List => json!({"intent": "list"}),
        Action::Whoami => json!({"intent": "whoami"}),
        Action::Status => json!({"intent": "status"}),
        Action::AutoCheck(AutoCheck::Start(minutes)) => {
            let minutes = minutes.map(crate::phrases::Minutes::number);
            json!({"intent": "auto_check_start", "minutes": minutes})
        }
        Action::AutoCheck(AutoCheck::Stop) => json!({"intent": "auto_check_stop"}),
        Action::AutoCheck(AutoCheck::Status) => json!({"intent": "auto_check_status"}),
    }
}

/// The command that does the same, for the agent `acting_as` if one was named, word by word.
pub(super) fn words(acting_as: Option<&Name>, action: &Action) -> Vec<String> {
    let mut words = vec!["ipc".to_owned()];
    if let Some(name) = acting_as {
        words.push(format!("--as={name}"));
    }
    let (command, places) = command(action);
    words.extend(command.iter().map(|word| (*word).to_owned()));
    if places.iter().any(|place| place.starts_with('-')) {
        words.push("--".to_owned());
    }
    words.extend(places);
    words
}

fn command(action: &Action) -> (&'static [&'static str], Vec<String>) {
    match action {
        Action::Register(name) => (&["register"], vec![name.to_string()]),
        Action::Rename(name) => (&["rename"], vec![name.to_string()]),
        Action::Send { to, text } => (&["send"], vec![to.to_string(), text.clone()]),
        Action::Broadcast(text) => (&["broadcast"], vec![text.clone()]),
        Action::Reply(text) => (&["reply"], vec![text.clone()]),
        Action::Forward(to) => (&["forward"], vec![to.to_string()]),
        Action::Check => (&["check"], Vec::new()),
        Action::List => (&["list"], Vec::new()),
        Action::Whoami => (&["whoami"], Vec::new()),
        Action::Status => (&["status"], Vec::new()),
        Action::AutoCheck(AutoCheck::Start(minutes)) => {
            let minutes = minutes.map(|minutes| minutes.number().to_string());
            (&["auto-check", "start"], minutes.into_iter().collect())
        }
        Action::AutoCheck(AutoCheck::Stop) => (&["auto-check", "stop"], Vec::new()),
        Action::AutoCheck(AutoCheck::Status) => (&["auto-check", "status"], Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_understood_is_one_harmless_line_and_not_endless() {
        let text = format!("a\nb\u{1b}[2J{}", "x".repeat(500));
        let line = understood(&Action::Broadcast(text));
        assert!(line.starts_with("understood: broadcast to everyone: a\\x0ab\\x1b[2Jx"));
        assert!(
            line.ends_with("… (507 bytes in all)") && line.len() < 300,
            "{line}"
        );
        assert!(!line.contains(['\n', '\u{1b}']));
    }
}
