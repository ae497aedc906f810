//! `notice`: learn that mail waits, without taking any of it.

use serde::{Deserialize, Serialize};

use super::AutoCheckMode;
use crate::id::MessageId;
use crate::name::Name;

/// Asks whether mail waits that an agent is to be told of. Leases nothing and shows no text.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Wait so long until a notice is due, in milliseconds, at most an hour.
    #[serde(default)]
    pub wait_ms: u32,
    /// Ask for the right to tell the agent: only one front-end gets it for what waits now.
    #[serde(default)]
    pub tell: bool,
    /// Only what came after this message; not together with `tell`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_than: Option<MessageId>,
    /// The agent knows of nothing, whatever it was told before; only together with `tell`.
    #[serde(default)]
    pub afresh: bool,
    /// The mode that the caller knows of: the wait ends when it is another. Without it, the mode
    /// that the wait begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_mode: Option<AutoCheckMode>,
}

/// What waits, and whether to say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeReport {
    /// What the agent is called.
    pub name: Name,
    /// Messages that can be fetched; leased ones are not counted.
    pub waiting: u64,
    /// Who sent them, the latest first, at most five. The daemon's own messages have no sender.
    pub senders: Vec<Name>,
    /// How many other senders there are.
    pub more_senders: u64,
    /// The latest of these messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<MessageId>,
    /// Whether to tell the agent now.
    pub is_due: bool,
    /// When the agent is told.
    pub mode: AutoCheckMode,
}

/// How whoever is told reads its mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadsWith {
    /// With the tools of the MCP server.
    Tool,
    /// With commands.
    CommandLine,
}

impl NoticeReport {
    /// The one sentence that an agent is told. It holds a number and names that were parsed, and
    /// nothing else that anybody sent.
    pub fn sentence(&self, with: ReadsWith) -> String {
        let (what, it) = match self.waiting {
            1 => ("message", "it"),
            _ => ("messages", "them"),
        };
        let call = match with {
            ReadsWith::Tool => "Call the tool ipc_check to read",
            ReadsWith::CommandLine => "Run `ipc check` to read",
        };
        let Self { waiting, name, .. } = self;
        let from = self.from();
        format!("ipc: {waiting} new {what} for {name}{from}. {call} {it}.")
    }

    /// `, from bob, carol and 3 others`; nothing when only the daemon wrote.
    fn from(&self) -> String {
        let mut parts: Vec<_> = self.senders.iter().map(Name::to_string).collect();
        match self.more_senders {
            0 => {}
            1 => parts.push("1 other".to_owned()),
            more => parts.push(format!("{more} others")),
        }
        match parts.split_last() {
            None => String::new(),
            Some((only, [])) => format!(", from {only}"),
            Some((last, others)) => format!(", from {} and {last}", others.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(waiting: u64, senders: &[&str], more_senders: u64) -> NoticeReport {
        NoticeReport {
            name: Name::parse("alice").unwrap(),
            waiting,
            senders: senders.iter().map(|s| Name::parse(s).unwrap()).collect(),
            more_senders,
            newest: None,
            is_due: true,
            mode: AutoCheckMode::Arrival,
        }
    }

    #[test]
    fn the_sentence_counts_and_names_and_says_how_to_read() {
        let tool = |report: NoticeReport| report.sentence(ReadsWith::Tool);
        assert_eq!(
            tool(report(2, &["bob", "carol"], 0)),
            "ipc: 2 new messages for alice, from bob and carol. \
             Call the tool ipc_check to read them."
        );
        assert_eq!(
            tool(report(1, &["bob"], 0)),
            "ipc: 1 new message for alice, from bob. Call the tool ipc_check to read it."
        );
        assert_eq!(
            tool(report(1, &[], 0)),
            "ipc: 1 new message for alice. Call the tool ipc_check to read it."
        );
        assert_eq!(
            report(9, &["a", "b", "c"], 1).sentence(ReadsWith::CommandLine),
            "ipc: 9 new messages for alice, from a, b, c and 1 other. \
             Run `ipc check` to read them."
        );
        assert!(tool(report(9, &["a", "b"], 3)).contains("from a, b and 3 others."));
    }
}
