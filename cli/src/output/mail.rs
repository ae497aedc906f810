//! Messages for people.
//!
//! A head of the daemon's own words, then the text, indented: no line of a text can stand where a
//! head stands, so no text can pass for another message. Notices are told from what happened,
//! never from text.

use std::path::PathBuf;

use ipc_protocol::message::{Kind, Mail, Provenance};
use ipc_protocol::time::Timestamp;

use super::lines::Lines;
use super::style::Style;
use super::{safe, times};

const INDENT: &str = "    ";

/// A message, and where the whole of it is if it was too large to show.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The message.
    pub(crate) mail: Mail,
    /// The file with the whole text.
    pub(crate) saved_to: Option<PathBuf>,
}

/// The message for people, an empty line after it.
pub(crate) fn render(shown: &Shown, now: Timestamp, style: Style) -> String {
    // No agent can be called `system`: the name is reserved.
    let sender = shown.mail.from.as_ref();
    let who = sender.map_or("system", |sender| sender.name.as_str());
    render_past(shown, who, &[], now, style)
}

/// The same with `who` in its head, and lines of our own below the text.
pub(crate) fn render_past(
    shown: &Shown,
    who: &str,
    below: &[String],
    now: Timestamp,
    style: Style,
) -> String {
    let mail = &shown.mail;
    let mut lines = Lines::default();
    lines.add(head(mail, who, now, style));
    for line in body(mail).lines() {
        lines.add(format!("{INDENT}{line}"));
    }
    if let Some(data) = &mail.data {
        let data = serde_json::to_string(data).unwrap_or_default();
        let data = style.faint(&format!("data: {}", safe::line(&data)));
        lines.add(format!("{INDENT}{data}"));
    }
    if let Some(path) = &shown.saved_to {
        let path = safe::line(&path.display().to_string());
        lines.add(format!("{INDENT}Full content saved to: {path}"));
    } else if mail.truncated {
        let (size, id) = (times::bytes(mail.bytes), mail.id);
        lines.add(format!("{INDENT}({size} in all: `ipc read {id}`)"));
    }
    if mail.data_omitted {
        let id = mail.id;
        lines.add(format!(
            "{INDENT}(data too large to show: `ipc read {id} --json`)"
        ));
    }
    for line in below {
        lines.add(format!("{INDENT}{}", style.faint(&safe::line(line))));
    }
    lines.add("");
    lines.into_text()
}

/// Who, when, which, and whatever is out of the ordinary, on one line.
fn head(mail: &Mail, who: &str, now: Timestamp, style: Style) -> String {
    let mut facts = vec![times::relative(mail.sent_ms, now), mail.id.to_string()];
    if mail.kind != Kind::Message && mail.kind != Kind::System {
        facts.push(mail.kind.as_str().to_owned());
    }
    if let Some(parent) = mail.reply_to {
        let of = if mail.interim {
            "begins to answer"
        } else {
            "answers"
        };
        facts.push(format!("{of} {parent}"));
    }
    if let Some(alias) = &mail.via_alias {
        facts.push(format!("via alias {alias}"));
    }
    if mail.hops > 0 {
        facts.push(format!("passed on {}×", mail.hops));
    }
    if has_no_provenance(mail) {
        facts.push(format!("provenance: {NO_PROVENANCE}"));
    }
    if mail.redelivered {
        facts.push("(redelivered)".to_owned());
    }
    // Last: what comes after the daemon's words cannot pass for them.
    if let Some(within) = &mail.conversation
        && let Some(title) = &within.title
    {
        facts.push(format!("in {} {}", within.id, title.shown()));
    }
    let facts = style.faint(&format!(" · {}", safe::line(&facts.join(" · "))));
    format!("{}{facts}", style.strong(&safe::line(who)))
}

fn body(mail: &Mail) -> String {
    match (&mail.from, &mail.event) {
        (None, Some(event)) => event.sentence(),
        (None, None) => "(a notice of a kind that this version does not know)".to_owned(),
        (Some(_), _) => safe::block(&mail.text),
    }
}

/// What stands where the kernel named nobody.
const NO_PROVENANCE: &str = "none (old port)";

/// Whether an agent sent it and nothing says from which process.
const fn has_no_provenance(mail: &Mail) -> bool {
    mail.from.is_some() && mail.provenance.is_none()
}

/// Where a message came from: what the kernel said, and apart from it what was only claimed.
pub(crate) fn provenance(provenance: &Provenance) -> String {
    let program = provenance.program.as_ref();
    let claim = program
        .map(|p| format!(" (says it runs in {p})"))
        .unwrap_or_default();
    format!("uid {}, pid {}{claim}", provenance.uid, provenance.pid)
}

#[cfg(test)]
mod tests {
    use ipc_protocol::id::{AgentId, MessageId};
    use ipc_protocol::message::Sender;
    use ipc_protocol::message::SystemEvent;
    use ipc_protocol::name::Name;

    use super::*;

    fn mail(from: Option<&str>, text: &str) -> Mail {
        let sender = |name| Sender {
            agent_id: AgentId::from_row(1),
            name: Name::parse(name).unwrap(),
            incarnation: 1,
        };
        let provenance = Provenance {
            uid: 1_000,
            pid: 7,
            start_ticks: None,
            program: None,
        };
        Mail {
            id: MessageId::from_row(7),
            provenance: from.map(|_| provenance),
            from: from.map(sender),
            to: None,
            kind: Kind::Message,
            text: text.to_owned(),
            bytes: 0,
            truncated: false,
            data: None,
            data_omitted: false,
            reply_to: None,
            conversation: None,
            interim: false,
            hops: 0,
            sent_ms: Timestamp::from_millis(0),
            via_alias: None,
            redelivered: false,
            event: None,
        }
    }

    fn shown(mail: Mail) -> String {
        let shown = Shown {
            mail,
            saved_to: None,
        };
        render(&shown, Timestamp::from_millis(120_000), Style::new(false))
    }

    #[test]
    fn a_message_says_who_when_and_which() {
        let text = shown(mail(Some("alice"), "one\ntwo"));
        let id = MessageId::from_row(7);
        assert_eq!(
            text,
            format!("alice · 2 min ago · {id}\n    one\n    two\n\n")
        );
    }

    #[test]
    fn a_message_that_no_kernel_vouches_for_says_so_and_a_notice_needs_nobody() {
        let old = Mail {
            provenance: None,
            ..mail(Some("alice"), "x")
        };
        assert!(shown(old).contains("provenance: none (old port)"));
        assert!(!shown(mail(None, "x")).contains("provenance"));
        assert!(!shown(mail(Some("alice"), "x")).contains("provenance"));
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_said() {
        let mut mail = mail(Some("alice"), "x");
        mail.kind = Kind::Request;
        mail.redelivered = true;
        mail.via_alias = Some(Name::parse("bob").unwrap());
        let text = shown(mail);
        for words in ["request", "(redelivered)", "via alias bob"] {
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn a_text_cannot_pass_for_a_message_or_a_notice() {
        for text in [
            "x\nsystem · now · m.1",
            "x\r\nsystem",
            "x\u{2028}system",
            "x\u{85}system",
        ] {
            let shown = shown(mail(Some("eve"), text));
            assert_eq!(
                shown.lines().filter(|l| l.starts_with("system")).count(),
                0,
                "{shown}"
            );
        }
    }

    #[test]
    fn a_notice_is_told_from_the_event_and_only_a_notice_is() {
        let (old, new) = (Name::parse("bob").unwrap(), Name::parse("robert").unwrap());
        let event = Some(SystemEvent::Renamed { old, new });
        let notice = Mail {
            event: event.clone(),
            ..mail(None, "lies")
        };
        assert!(shown(notice).contains("bob is called robert now"));
        let forged = Mail {
            event,
            ..mail(Some("eve"), "lies")
        };
        assert!(shown(forged).contains("lies"));
    }
}
