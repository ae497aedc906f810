//! What the audit log records, and the line that each record is.
//!
//! Fields are ids, parsed names, words and numbers. The one text among them is [`Plain`], and the
//! whole line is brought to printable ASCII at the end: no line can be two, and none can move a
//! terminal's cursor.

mod ending;

use std::fmt::Write;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::message::{BoundaryRule, ProgramName};
use ipc_protocol::name::Name;
use ipc_protocol::safe;
use ipc_protocol::time::Timestamp;
use ipc_protocol::token::Sid;
use serde::{Deserialize, Serialize, Serializer};

use super::chain::Sequence;
use super::meter::Class;
pub(crate) use ending::{AgentEnd, SessionEnd};

/// Longest text in a record, in characters: an error of the system's.
const PLAIN_CHARS: usize = 256;

/// A text in a record: of one line, without anything that is hidden, and not long.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Plain(String);

impl Plain {
    pub(crate) fn new(text: &str) -> Self {
        Self(safe::line(text).chars().take(PLAIN_CHARS).collect())
    }
}

/// How an agent came to a session.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entrance {
    /// The name was free.
    New,
    /// An agent that was imported, or came over the old port, was enrolled.
    FirstEnrolment,
    /// A held name was claimed with the secret alone.
    Reclaimed,
    /// With its resume credential.
    Resumed,
    /// The same, ending the agent's other sessions.
    TookOver,
    /// Over the old port.
    OldPort,
    /// The former session was renewed.
    Renewed,
}

/// Who was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Who {
    /// An agent, proved.
    Agent(AgentId),
    /// A process of this user that proved nothing, or only the secret.
    Pid(u32),
    /// Another user.
    Uid(u32),
    /// Somebody at the old port.
    OldPort(bool),
}

/// Why a backup took the place of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RestoreCause {
    /// Somebody asked for it.
    Asked,
    /// The store was damaged.
    Damaged,
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holds {
    pub(crate) messages: u64,
    pub(crate) agents: u64,
}

/// How what the Python server left came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// It lay where the store would be.
    TakenOver,
    /// Somebody named the file.
    Imported,
}

/// How much of it came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Migrated {
    pub(crate) how: Way,
    pub(crate) read: u64,
    pub(crate) unread: u64,
    pub(crate) repeated: u64,
    pub(crate) names: u64,
    pub(crate) forwards: u64,
    pub(crate) sessions_dropped: u64,
    /// Names that had to change, and what did not come over whole.
    pub(crate) changes: u64,
}

/// What a freeze or a revocation was for: the agent, or everybody.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whom {
    Agent(AgentId),
    Everybody(bool),
}

/// Everything that is recorded.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The first record of every file: what its first line is chained to, and the first line that is
    /// still kept.
    File {
        after: String,
        kept: Sequence,
    },
    /// The former log is gone, or did not fit its state and lies elsewhere: the chain begins anew.
    Broken {
        why: Plain,
        #[serde(skip_serializing_if = "Option::is_none")]
        moved_to: Option<Plain>,
    },
    /// There was no log before: the deployment is older than that.
    Begun {},
    /// So many bytes at the end, of a write that was cut off, were cut off too.
    Torn {
        bytes: u64,
    },
    /// So many records found no room.
    Lost {
        count: u64,
    },
    /// So many more of these since the last one that is written out.
    More {
        of: &'static str,
        count: u64,
    },
    /// So many more such refusals in this minute.
    MoreDenied {
        request: &'static str,
        code: ErrorCode,
        #[serde(flatten)]
        who: Option<Who>,
        count: u64,
    },
    Started {
        version: &'static str,
        pid: u32,
    },
    Stopped {},
    SessionOpened {
        agent: AgentId,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Name>,
        how: Entrance,
        session: Sid,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        program: Option<ProgramName>,
    },
    SessionEnded {
        agent: AgentId,
        session: Sid,
        why: SessionEnd,
    },
    Renamed {
        agent: AgentId,
        old: Name,
        new: Name,
    },
    /// The agent ended: it left, was released or forgotten.
    AgentEnded {
        agent: AgentId,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Name>,
        reason: AgentEnd,
    },
    BoundarySet {
        agent: AgentId,
        peer: AgentId,
        rule: BoundaryRule,
    },
    AllowOnlySet {
        agent: AgentId,
        on: bool,
    },
    Released {
        name: Name,
        pid: u32,
    },
    Revoked {
        #[serde(flatten)]
        whom: Whom,
        sessions: u64,
        pid: u32,
    },
    SecretRotated {
        sessions: u64,
        pid: u32,
    },
    BackedUp {
        file: Plain,
        bytes: u64,
    },
    /// A backup took the place of the store.
    Restored {
        from: Plain,
        why: RestoreCause,
        #[serde(flatten)]
        holds: Holds,
    },
    /// What the Python server left came over.
    Migrated(Migrated),
    Frozen {
        #[serde(flatten)]
        whom: Whom,
        pid: u32,
    },
    Thawed {
        #[serde(flatten)]
        whom: Whom,
        pid: u32,
    },
    ReadersAsked {
        agent: AgentId,
        pid: u32,
    },
    Denied {
        request: &'static str,
        code: ErrorCode,
        #[serde(flatten)]
        who: Who,
    },
}

impl Event {
    /// What bounds its number.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::File { .. }
            | Self::Broken { .. }
            | Self::Begun {}
            | Self::Torn { .. }
            | Self::Lost { .. }
            | Self::More { .. }
            | Self::MoreDenied { .. }
            | Self::Started { .. }
            | Self::Stopped {}
            | Self::Released { .. }
            | Self::Revoked { .. }
            | Self::SecretRotated { .. }
            | Self::BackedUp { .. }
            | Self::Restored { .. }
            | Self::Migrated(_)
            | Self::Frozen { .. }
            | Self::Thawed { .. }
            | Self::ReadersAsked { .. } => Class::Always,
            Self::SessionOpened { agent, how, .. } => match how {
                // Somebody else may be at work now. What bounds these is the rate of enrolments.
                Entrance::Reclaimed | Entrance::TookOver => Class::Always,
                Entrance::New
                | Entrance::FirstEnrolment
                | Entrance::Resumed
                | Entrance::OldPort
                | Entrance::Renewed => Class::Routine("session_opened", *agent),
            },
            Self::SessionEnded { agent, .. } => Class::Routine("session_ended", *agent),
            Self::Renamed { agent, .. } => Class::Routine("renamed", *agent),
            Self::AgentEnded { agent, .. } => Class::Routine("agent_ended", *agent),
            Self::BoundarySet { agent, .. } => Class::Rule("boundary_set", *agent),
            Self::AllowOnlySet { agent, .. } => Class::Rule("allow_only_set", *agent),
            Self::Denied { request, code, who } => Class::Denial(request, *code, *who),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    n: Sequence,
    #[serde(serialize_with = "time")]
    t: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    match at.rfc3339() {
        Some(text) => serializer.serialize_str(&text),
        None => serializer.serialize_i64(at.as_millis()),
    }
}

/// The record of `event` as line `n`, without its last brace.
pub(crate) fn record(n: Sequence, at: Timestamp, event: &Event) -> String {
    let line = Line { n, t: at, event };
    // Nothing in an event cannot be written: there are no maps with other keys than texts.
    let text = serde_json::to_string(&line).unwrap_or_else(|_| format!("{{\"n\":{n},\"t\":0}}"));
    let text = text.strip_suffix('}').unwrap_or(&text);
    ascii(text)
}

/// `json` in printable ASCII: whatever is not stands inside of a string, where an escape is the same.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii_graphic() || c == ' ' {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _escaped = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_of_printable_ascii_whatever_is_in_it() {
        let hostile = "a\nb\r\u{1b}[2J\u{9b}\u{7f}\u{2028}\u{202e}\u{e0041}\"\\\u{1f600}";
        for text in [hostile.to_owned(), "\n".repeat(100_000)] {
            let why = |why| Event::Broken {
                why,
                moved_to: None,
            };
            let (event, raw) = (why(Plain::new(&text)), why(Plain(text)));
            for event in [event, raw] {
                let line = record(7, Timestamp::from_millis(0), &event) + "}";
                assert!(line.bytes().all(|b| (0x20..0x7f).contains(&b)), "{line}");
                let read: serde_json::Value = serde_json::from_str(&line).unwrap();
                assert_eq!((&read["n"], &read["event"]), (&7.into(), &"broken".into()));
            }
        }
        assert!(Plain::new(&"\n".repeat(100_000)).0.len() <= PLAIN_CHARS);
    }
}
