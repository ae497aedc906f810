//! The texts of the caller's own in a request that other agents get to see: what a look for credentials
//! must not miss.
//!
//! What always holds: every request and every field of every one is named here, so that a new one breaks
//! the build until somebody has said whether others see it. That all of them are looked at is dispatch's
//! business, which does so before it hands anything on. Whatever is left out (`_`) is an id, a
//! number, a word of the protocol, the name of an agent that must exist, or kept from all but the caller.

use super::{
    Ack, AdminBackup, AdminFreeze, AdminReaders, AdminRelease, AdminRevoke, AdminRotateSecret,
    AdminThaw, Authenticate, AutoCheck, Boundaries, Conversation, DeadLetters, Describe, Fetch,
    Forward, Hello, History, HostProcess, List, Nack, Notice, Notices, Offline, Read, Receipts,
    Register, Rename, Renew, Reply, Request, Revoke, Send, Status, Unregister, Whoami,
};
use crate::message::Data;
use crate::name::Recipient;
use crate::profile::{Capabilities, OneLine};

/// A text that others get to see.
#[expect(missing_debug_implementations, reason = "peers' texts are not logged")]
pub enum Text<'a> {
    /// A message: stored, answered and passed on by one and the same way.
    Message(&'a str, Option<&'a Data>),
    /// What the caller says of itself or of a group, on one line, with the word that a refusal calls it
    /// by; parts of it may be masked.
    Line(&'static str, &'a mut dyn OneLine),
    /// A name or a word of the caller's choice, with the same; never changed.
    Word(&'static str, &'a str),
}

/// What hears of each text; the first refusal ends it.
pub type Look<'l, E> = &'l mut dyn FnMut(Text<'_>) -> Result<(), E>;

/// Something with texts in it.
pub trait Texts {
    /// Tells `look` of each.
    ///
    /// # Errors
    /// The first that `look` gives.
    fn each_text<E>(&mut self, look: Look<'_, E>) -> Result<(), E>;
}

impl Texts for Register {
    fn each_text<E>(&mut self, look: Look<'_, E>) -> Result<(), E> {
        let Self {
            name,
            when_live: _,
            automatic: _,
            host,
        } = self;
        look(Text::Word("name", name.as_str()))?;
        let Some(HostProcess { pid: _, program }) = host else {
            return Ok(());
        };
        match program {
            Some(program) => look(Text::Word("program", program.as_str())),
            None => Ok(()),
        }
    }
}

impl Texts for Send {
    fn each_text<E>(&mut self, look: Look<'_, E>) -> Result<(), E> {
        let Self {
            to,
            text,
            data,
            kind: _,
            reply_to: _,
            idempotency_key: _,
            known_only: _,
        } = self;
        recipient(to, look)?;
        look(Text::Message(text, data.as_ref()))
    }
}

impl Texts for Forward {
    fn each_text<E>(&mut self, look: Look<'_, E>) -> Result<(), E> {
        // Its text is that of the message it passes on, which is looked at where it is stored.
        let Self {
            message_id: _,
            to,
            idempotency_key: _,
        } = self;
        recipient(to, look)
    }
}

impl Texts for Describe {
    fn each_text<E>(&mut self, look: Look<'_, E>) -> Result<(), E> {
        let Self {
            status,
            summary,
            capabilities,
            place: _,
        } = self;
        if let Some(status) = status {
            look(Text::Line("status", status))?;
        }
        if let Some(summary) = summary {
            look(Text::Line("summary", summary))?;
        }
        let words = capabilities.iter().flat_map(Capabilities::as_slice);
        for word in words {
            look(Text::Word("capability", word.as_str()))?;
        }
        Ok(())
    }
}

impl Texts for Conversation {
    fn each_text<E>(&mut self, look: Look<'_, E>) -> Result<(), E> {
        match self {
            Self::Create {
                title,
                members: _,
                idempotency_key: _,
            } => look(Text::Line("title", title)),
            Self::Add {
                conversation_id: _,
                names: _,
            }
            | Self::Leave { conversation_id: _ }
            | Self::Members { conversation_id: _ }
            | Self::List { limit: _ } => Ok(()),
        }
    }
}

impl Texts for Request {
    #[rustfmt::skip]
    fn each_text<E>(&mut self, look: Look<'_, E>) -> Result<(), E> {
        match self {
            Self::Send(send) => send.each_text(look),
            Self::Reply(Reply {
                text, data, message_id: _, idempotency_key: _, private: _, is_final: _,
            }) => look(Text::Message(text, data.as_ref())),
            Self::Register(register) => register.each_text(look),
            Self::Describe(describe) => describe.each_text(look),
            Self::Conversation(conversation) => conversation.each_text(look),
            Self::Rename(Rename { new_name }) => look(Text::Word("name", new_name.as_str())),
            Self::Forward(forward) => forward.each_text(look),
            Self::Hello(Hello { v: _, cred: _, id: _, cn: _, kdfs: _ })
            | Self::Authenticate(Authenticate { proof: _ })
            | Self::Unregister(Unregister {})
            | Self::Offline(Offline {})
            | Self::Renew(Renew {})
            | Self::Revoke(Revoke { all: _ })
            | Self::Fetch(Fetch {
                limit: _, wait_ms: _, peek: _, answers_to: _, sent_by: _, conversation: _, kind: _,
                pings: _,
            })
            | Self::Ack(Ack { message_ids: _, handover: _ })
            | Self::Nack(Nack { message_ids: _ })
            | Self::Notice(Notice {
                wait_ms: _, tell: _, newer_than: _, afresh: _, known_mode: _,
            })
            | Self::AutoCheck(AutoCheck { action: _, minutes: _ })
            | Self::Notices(Notices { action: _ })
            | Self::Read(Read { message_id: _, offset: _ })
            | Self::History(History {
                with: _, conversation: _, search: _, kind: _, before: _, after: _, before_ms: _,
                after_ms: _, limit: _,
            })
            | Self::Receipts(Receipts { message_id: _, limit: _ })
            | Self::DeadLetters(DeadLetters { limit: _ })
            | Self::List(List { scope: _, capability: _ })
            | Self::Boundaries(Boundaries { peer: _, rule: _, allow_only: _ })
            | Self::Whoami(Whoami {})
            | Self::Status(Status {})
            | Self::AdminBackup(AdminBackup {})
            | Self::AdminRelease(AdminRelease { name: _ })
            | Self::AdminRevoke(AdminRevoke { name: _ })
            | Self::AdminRotateSecret(AdminRotateSecret { verifiers: _ })
            | Self::AdminFreeze(AdminFreeze { agent: _ })
            | Self::AdminThaw(AdminThaw { agent: _ })
            | Self::AdminReaders(AdminReaders {
                sent_by: _, since_ms: _, before: _, limit: _,
            }) => Ok(()),
        }
    }
}

/// A name that need not be anybody's: mail is kept for whoever will have it.
fn recipient<E>(to: &Recipient, look: Look<'_, E>) -> Result<(), E> {
    match to {
        Recipient::Name(name) => look(Text::Word("recipient", name.as_str())),
        Recipient::All | Recipient::Agent(_) | Recipient::Conversation(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    /// What is looked at: request, and what each of its texts is called.
    const LOOKED_AT: [(&str, &[&str]); 7] = [
        ("register", &["name", "program"]),
        ("send", &["recipient", "message"]),
        ("reply", &["message"]),
        ("forward", &["recipient"]),
        ("conversation", &["title"]),
        ("describe", &["status", "summary", "capability"]),
        ("rename", &["name"]),
    ];

    /// The fields of a request with a text in each that has one.
    fn fields(method: &str) -> Value {
        match method {
            "register" => json!({"name": "alice", "host": {"pid": 1, "program": "codex"}}),
            "send" => json!({"to": "bob", "text": "x"}),
            "reply" => json!({"text": "x"}),
            "forward" => json!({"to": "bob"}),
            "conversation" => json!({"action": "create", "title": "t", "members": ["bob"]}),
            "describe" => json!({"status": "s", "summary": "u", "capabilities": ["rust"]}),
            "rename" => json!({"new_name": "alicia"}),
            _ => Value::Null,
        }
    }

    #[test]
    fn every_text_that_others_see_is_looked_at() {
        for (method, expected) in LOOKED_AT {
            let params: Map<String, Value> = serde_json::from_value(fields(method)).unwrap();
            let mut request = Request::decode(method, params).unwrap();
            let mut seen = Vec::new();
            let told: Result<(), ()> = request.each_text(&mut |text| {
                seen.push(match text {
                    Text::Message(..) => "message",
                    Text::Line(what, _) | Text::Word(what, _) => what,
                });
                Ok(())
            });
            assert_eq!((told, seen.as_slice()), (Ok(()), expected), "{method}");
        }
    }

    #[test]
    fn the_first_refusal_ends_it() {
        let params = serde_json::from_value(fields("describe")).unwrap();
        let mut request = Request::decode("describe", params).unwrap();
        let mut seen = 0;
        let told = request.each_text(&mut |_| {
            seen += 1;
            Err("no")
        });
        assert_eq!((told, seen), (Err("no"), 1));
    }

    #[test]
    fn what_is_put_into_a_line_fits_it() {
        let mut title: crate::conversation::Title = "t".parse().unwrap();
        let lines: [&mut dyn OneLine; 3] = [
            &mut "s".parse::<crate::profile::StatusText>().unwrap(),
            &mut "s".parse::<crate::profile::SummaryText>().unwrap(),
            &mut title,
        ];
        for line in lines {
            line.put(&"é\n".repeat(1_000));
            assert!(line.text().len() > 100 && !line.text().contains('\n'));
        }
        title.put("\n ");
        assert!(title.as_str().starts_with('é'), "a title is never blank");
    }
}
