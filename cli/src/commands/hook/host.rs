//! Events and answers as each host names them. Hosts change; what is not known here is let pass.
//!
//! Claude Code: <https://docs.claude.com/en/docs/claude-code/hooks>. Gemini CLI:
//! <https://geminicli.com/docs/hooks/reference>. Codex took over Claude Code's shapes.

use serde_json::{Value, json};

use crate::args::HookHost;

/// What an event means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A session begins: the agent knows of nothing.
    Start,
    /// The agent is at work and can be told something beside it.
    Work,
    /// The agent is about to stop, and can be kept from it.
    Stop,
    /// The session ends.
    End,
}

/// The event that `host` calls `name`; nothing for one that is of no use here.
pub(super) fn event(host: HookHost, name: &str) -> Option<Event> {
    match (host, name) {
        (_, "SessionStart") => Some(Event::Start),
        (_, "SessionEnd") => Some(Event::End),
        (HookHost::Claude | HookHost::Codex, "UserPromptSubmit" | "PostToolUse")
        | (HookHost::Gemini, "BeforeAgent" | "AfterTool") => Some(Event::Work),
        (HookHost::Claude | HookHost::Codex, "Stop") | (HookHost::Gemini, "AfterAgent") => {
            Some(Event::Stop)
        }
        (HookHost::Claude | HookHost::Codex | HookHost::Gemini, _) => None,
    }
}

/// What `host` reads `sentence` from at `event`, which it calls `name`.
pub(super) fn answer(host: HookHost, event: Event, name: &str, sentence: &str) -> Value {
    match (event, host) {
        (Event::Stop, HookHost::Claude | HookHost::Codex) => {
            json!({"decision": "block", "reason": sentence})
        }
        (Event::Stop, HookHost::Gemini) => json!({"decision": "deny", "reason": sentence}),
        (Event::Start | Event::Work | Event::End, _) => json!({"hookSpecificOutput": {
            "hookEventName": name,
            "additionalContext": sentence,
        }}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_known_to_the_host_that_has_them_and_to_no_other() {
        use HookHost::{Claude, Codex, Gemini};
        assert_eq!(event(Claude, "Stop"), Some(Event::Stop));
        assert_eq!(event(Codex, "PostToolUse"), Some(Event::Work));
        assert_eq!(event(Gemini, "AfterAgent"), Some(Event::Stop));
        for (host, name) in [
            (Gemini, "Stop"),
            (Claude, "AfterAgent"),
            (Claude, "stop"),
            (Codex, ""),
            (Claude, "PreToolUse"),
        ] {
            assert_eq!(event(host, name), None, "{name}");
        }
    }
}
