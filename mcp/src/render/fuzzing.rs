//! Any text of a peer, as a model sees it.

use ipc_protocol::conversation::{Title, Within};
use ipc_protocol::id::{AgentId, ConversationId, MessageId};
use ipc_protocol::message::{Kind, Mail, Sender};
use ipc_protocol::name::Name;
use ipc_protocol::safe;
use ipc_protocol::time::Timestamp;
use serde_json::Value;

use super::{Fence, Letter, MessageView, fence, fenced, fitting, quoted, shown_bytes};

/// Text, title and data of a message, with a zero byte between them: the fences hold, nothing hidden
/// survives, and what fits is what was promised.
pub fn fence(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, '\0');
    let mut next = || parts.next().unwrap_or_default();
    let (body, title, data) = (next(), next(), next());
    let Ok(name) = Name::parse("bob") else { return };
    let letter = Letter::from(letter(name, body, title, data));
    let mail = &letter.mail;
    let parts = [true, mail.conversation.is_some(), mail.data.is_some()];
    let fences = parts.into_iter().filter(|is_there| *is_there).count();
    let within = Fence::new([7; 16]);
    let bytes = shown_bytes(&letter.mail);
    let view = MessageView::new(&letter, &within);
    let head = view.head();
    assert!(!head.contains(is_hidden) && !head.contains('\n'));
    assert!(serde_json::from_str::<Value>(&head).is_ok(), "{head}");
    let shown = super::text(&[letter], &within);
    holds(&shown, fences);
    assert!(bytes <= shown.len());
    holds(&fenced(title, &within), 1);
    for room in [0, 9, 200] {
        assert!(body.starts_with(fitting(body, room)));
        assert!(fence::harmless(fitting(body, room)).0.len() <= room);
        holds(&quoted(body, room, &within), 1);
    }
    let (once, _) = fence::harmless(body);
    assert_eq!(fence::harmless(&once), (once.clone(), false));
}

/// No fence but ours is in `shown`, however it is spaced, and nothing that is not seen.
fn holds(shown: &str, fences: usize) {
    assert!(!shown.contains(|c| is_hidden(c) && c != '\n'), "{shown:?}");
    let plain: String = shown
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '\\'))
        .flat_map(char::to_lowercase)
        .collect();
    for mark in ["<peertext", "</peertext"] {
        assert_eq!(plain.matches(mark).count(), fences, "{shown}");
    }
}

fn is_hidden(c: char) -> bool {
    safe::is_hidden(c) && c != '\t'
}

fn letter(name: Name, text: &str, title: &str, data: &str) -> Mail {
    let data = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()));
    Mail {
        id: MessageId::from_row(7),
        to: Some(name.clone()),
        kind: Kind::Message,
        from: Some(Sender {
            agent_id: AgentId::from_row(3),
            name,
            incarnation: 1,
        }),
        text: text.to_owned(),
        bytes: 5,
        truncated: false,
        data: Some([("a".to_owned(), data)].into_iter().collect()),
        data_omitted: false,
        reply_to: None,
        conversation: Title::parse(title).ok().map(|title| Within {
            id: ConversationId::from_row(5),
            title: Some(title),
        }),
        interim: false,
        hops: 0,
        sent_ms: Timestamp::from_millis(0),
        via_alias: None,
        redelivered: false,
        provenance: None,
        event: None,
    }
}
