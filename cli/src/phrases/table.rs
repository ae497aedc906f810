//! What can be said: one line for each form. The notation is that of [`super::pattern`].
//!
//! Forms of different meanings must not fit the same phrase: it would be doubtful. What is written
//! here is shown to whoever said something that fits nothing.

use super::Reason;

/// What a form means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Register,
    CallMe,
    Rename,
    Send,
    Broadcast,
    Reply,
    Forward,
    Check,
    List,
    Whoami,
    Status,
    AutoCheckStart,
    AutoCheckStop,
    AutoCheckStatus,
}

/// Everything that is understood.
pub(super) const FORMS: &[(Meaning, &[&str])] = &[
    (
        Meaning::Register,
        &[
            "register as {name}",
            "register <this-instance> as {name}",
            "register {name}",
        ],
    ),
    (
        Meaning::CallMe,
        &[
            "call me {name}",
            "my name is {name}",
            "i want to be called {name}",
            "i'd like to be called {name}",
            "i would like to be called {name}",
        ],
    ),
    (
        Meaning::Rename,
        &[
            "rename to {name}",
            "rename <this-instance> to {name}",
            "rename <this-instance> as {name}",
            "change my name to {name}",
            "change name to {name}",
        ],
    ),
    (
        Meaning::Send,
        &[
            "msg/message {name}: {text}",
            "msg/message {name} that/saying/to [:] {text}",
            "msg/message {name} asking [:] {question}",
            "msg/message {name} {about}",
            "send to {name}: {text}",
            "send a/the message/msg to {name}: {text}",
            "send message/msg to {name}: {text}",
            "send [a] message/msg to {name} saying/that/to [:] {text}",
            "send [a] message/msg to {name} asking [:] {question}",
            "send [a] message/msg to {name} {about}",
            "send {name} a message/msg: {text}",
            "send {name} a message/msg saying/that/to [:] {text}",
            "send {name} a message/msg asking [:] {question}",
            "send {name} a message/msg {about}",
            "tell {name}: {text}",
            "tell {name} that/to/saying [:] {text}",
            "tell {name} {statement}",
            "let {name} know: {text}",
            "let {name} know that [:] {text}",
            "let {name} know {statement}",
            "ask {name}: {text}",
            "ask {name} to [:] {text}",
            "ask {name} {question}",
        ],
    ),
    (
        Meaning::Broadcast,
        &[
            "broadcast: {text}",
            "broadcast to <everyone>: {text}",
            "broadcast [a] message/msg: {text}",
            "broadcast that/saying [:] {text}",
            "broadcast to <everyone> that/saying [:] {text}",
            "tell <everyone>: {text}",
            "tell <everyone> that/to/saying [:] {text}",
            "tell everyone/everybody {statement}",
            "send to <everyone>: {text}",
            "send [a] message/msg to <everyone>: {text}",
            "send [a] message/msg to <everyone> saying/that/to [:] {text}",
            "send [a] message/msg to <everyone> asking [:] {question}",
            "send [a] message/msg to <everyone> {about}",
            "send everyone/everybody a message/msg: {text}",
            "send everyone/everybody a message/msg saying/that/to [:] {text}",
            "message/msg <everyone>: {text}",
            "message/msg <everyone> that/saying/to [:] {text}",
            "message/msg <everyone> {about}",
            "let everyone/everybody know: {text}",
            "let everyone/everybody know that [:] {text}",
            "let everyone/everybody know {statement}",
            "ask <everyone>: {text}",
            "ask everyone/everybody to [:] {text}",
            "ask everyone/everybody {question}",
        ],
    ),
    (
        Meaning::Reply,
        &[
            "reply: {text}",
            "reply with: {text}",
            "reply that/saying [:] {text}",
            "answer: {text}",
            "respond: {text}",
        ],
    ),
    (
        Meaning::Forward,
        &["forward to {name}", "forward <the-last-message> to {name}"],
    ),
    (
        Meaning::Check,
        &[
            "<messages>",
            "check",
            "check [for] [my/the] [new/unread] <messages>",
            "check [for] any [new/unread] <messages>",
            "any [new/unread] <messages>",
            "any [new/unread] <messages> for me",
            "read/show/get [me] [my] [new/unread] <messages>",
            "do i have [any] [new/unread] <messages>",
            "have i got [any] [new/unread] <messages>",
            "did i get [any] [new/unread] <messages>",
            "are there [any] [new/unread] <messages>",
            "what [new/unread] <messages> do i have",
        ],
    ),
    (
        Meaning::List,
        &[
            "list",
            "list [all] [the] [<active>] <agents>",
            "show [me] [all] [the] [<active>] <agents>",
            "who's <active>",
            "who is <active>",
            "whos <active>",
            "show [me] who's <active>",
            "show [me] who is <active>",
            "which/what <agents> are <active>",
        ],
    ),
    (
        Meaning::Whoami,
        &[
            "who am i",
            "whoami",
            "what's my name",
            "what is my name",
            "what am i called",
        ],
    ),
    (
        Meaning::Status,
        &[
            "status",
            "[show] [the] daemon/ipc status",
            "is [the] daemon/ipc running/up",
            "how is the daemon",
        ],
    ),
    (
        Meaning::AutoCheckStart,
        &[
            "start/enable <auto-check>",
            "start/enable <auto-check> [messages] [every/for/at] {minutes} [<minutes>]",
            "start/enable <auto-check> with [a] {minutes} minute/minutes interval",
            "turn on <auto-check>",
            "turn on <auto-check> [messages] [every/for/at] {minutes} [<minutes>]",
            "turn on <auto-check> with [a] {minutes} minute/minutes interval",
            "turn <auto-check> on",
            "<auto-check> [my] [messages] every {minutes} [<minutes>]",
        ],
    ),
    (
        Meaning::AutoCheckStop,
        &[
            "stop/disable/end <auto-check> [messages]",
            "turn off <auto-check>",
            "turn <auto-check> off",
            "no more <auto-check>",
        ],
    ),
    (
        Meaning::AutoCheckStatus,
        &[
            "<auto-check> status",
            "status of <auto-check>",
            "is <auto-check> on/off/enabled/disabled/active/running",
            "are we <auto-check>",
            "how often are/do we/you <auto-check>",
            "when's the next <auto-check>",
            "when is the next <auto-check>",
            "what's the <auto-check> interval",
            "what is the <auto-check> interval",
        ],
    ),
];

/// What makes a phrase doubtful, whatever else it fits.
pub(super) const TRAPS: &[(Reason, &[&str])] = &[
    (Reason::Negated, &["<don't> {rest}"]),
    (
        Reason::OneByOne,
        &[
            "tell/ask/message/msg/let/send/register {any} <and> {rest}",
            "send/broadcast to {any} <and> {rest}",
            "send [a] message/msg to {any} <and> {rest}",
            "forward to {any} <and> {rest}",
            "forward <the-last-message> to {any} <and> {rest}",
        ],
    ),
    (Reason::AnswerTo, &["reply/answer/respond to {rest}"]),
];

/// What would be understood if it went on.
pub(super) const UNFINISHED: &[(Reason, &[&str])] = &[
    (
        Reason::NoText,
        &[
            "tell/ask/message/msg {any}",
            "send to {any}",
            "send [a] message/msg to {any}",
            "send {any} a message/msg",
            "let {any} know",
            "reply/answer/respond",
            "broadcast",
            "broadcast to <everyone>",
        ],
    ),
    (
        Reason::NoName,
        &[
            "send [a] message/msg",
            "message/msg: {rest}",
            "tell/ask: {rest}",
            "forward",
            "forward <the-last-message>",
            "register",
            "register as",
            "rename",
            "call me",
            "my name is",
        ],
    ),
];
