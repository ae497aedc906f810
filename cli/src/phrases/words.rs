//! Words with a part of their own in phrases.

use super::cursor::is_word;

/// Said before a phrase out of politeness; means nothing.
pub(super) const AT_THE_START: &[&str] = &[
    "please", "hey", "hi", "hello", "ok", "okay", "now", "just", "kindly",
];

/// The same, and makes a question of the phrase.
pub(super) const ASKING_POLITELY: &[&str] = &["can you", "could you", "would you", "will you"];

/// Said after a phrase that holds no text; means nothing.
pub(super) const AT_THE_END: &[&str] = &[
    "please",
    "now",
    "right now",
    "thanks",
    "thank you",
    "for me",
    "again",
];

/// Set a text off from the words before it, and do not belong to it.
pub(super) const SET_OFF: &[&str] = &["that", "saying", "asking", "to"];

/// The classes that forms refer to as `<NAME>`; where one begins another, the longer comes first.
const CLASSES: &[(&str, &[&str])] = &[
    (
        "everyone",
        &[
            "everyone",
            "everybody",
            "all agents",
            "all the agents",
            "all instances",
            "all of them",
            "all",
            "every agent",
            "every instance",
        ],
    ),
    (
        "auto-check",
        &[
            "auto checking",
            "auto check",
            "auto checks",
            "auto-checking",
            "auto-check",
            "auto-checks",
            "autochecking",
            "autocheck",
            "autochecks",
        ],
    ),
    (
        "this-instance",
        &[
            "this instance",
            "this agent",
            "this session",
            "me",
            "myself",
        ],
    ),
    (
        "the-last-message",
        &[
            "the last message",
            "the message",
            "the last one",
            "last message",
            "this message",
            "that message",
            "this",
            "that",
            "it",
        ],
    ),
    ("minutes", &["minutes", "minute", "mins", "min"]),
    (
        "messages",
        &["messages", "msgs", "mail", "mails", "inbox", "mailbox"],
    ),
    ("agents", &["instances", "agents", "ais", "sessions"]),
    (
        "active",
        &["active", "online", "connected", "here", "there", "running"],
    ),
    ("and", &["and", "or", "&", "+", "plus", "as well as"]),
    ("don't", &["don't", "dont", "do not", "never", "not"]),
];

/// The members of a class.
pub(super) fn class(name: &str) -> Option<&'static [&'static str]> {
    let found = CLASSES.iter().find(|(class, _)| *class == name);
    found.map(|(_, members)| *members)
}

/// Could name further recipients, a condition, a time or something yet to be found out, as well as
/// begin a text.
const NO_STATEMENT: &str = "
    and or but nor & + plus except excluding besides else other who whose whom named called
    in on at from with without of for as
    if when whenever once after before until unless while now then later today tomorrow tonight soon
    asap immediately again every
    what whatever why how where whether which
";

/// The same where the text is a question, which may begin with `if`, `when` or `what`.
const NO_QUESTION: &str = "
    and or but nor & + plus except excluding besides else other
    in on at once after before until unless while now then later today tomorrow tonight soon
    asap immediately again every
";

/// Begin what this program is told to do.
const ORDERS: &str = "
    tell send msg message ask let reply answer respond forward broadcast register rename call start
    stop enable disable turn check list show don't
";

/// Words that stand where a name would in sentences that name nobody: `call me later`, `tell me`,
/// `message received: …`. Agents may have these names; the commands take them.
const ORDINARY: &str = "
    me myself you yourself him her it us them they he she we i my your his their our its this that
    these those someone somebody anyone anybody everybody nobody none both each every everything
    something anything nothing other others another one people folks guys team

    a an the and or but nor not no yes to from for with about of in on at by as into out off up down
    than is are was were be been am do does did done has have had can could would should shall might
    must there here so

    if when whenever whether who whom whose what whatever which why how where once after before until
    unless while because later back maybe perhaps never always now soon then again anytime sometime
    today tonight tomorrow monday tuesday wednesday thursday friday saturday sunday asap immediately
    instead already please thanks ok okay crazy names well only also too just

    message messages msg msgs mail mails inbox name named called agent agents instance instances
    session sessions send sent sending tell ask reply answer forward check received delivered failed
    queued read unread new old next last text body content subject title id count status queue limit
    error history help list
";

/// Whether `word` may stand for something other than the beginning of a statement.
pub(super) fn begins_no_statement(word: &str) -> bool {
    holds(NO_STATEMENT, word)
}

/// Whether `word` may stand for something other than the beginning of a question.
pub(super) fn begins_no_question(word: &str) -> bool {
    holds(NO_QUESTION, word)
}

/// Whether `word` begins an order to this program.
pub(super) fn begins_an_order(word: &str) -> bool {
    holds(ORDERS, word)
}

/// Whether `word` is hardly meant as a name.
pub(super) fn is_ordinary(word: &str) -> bool {
    holds(ORDINARY, word)
}

/// Whether `word` stands for everybody.
pub(super) fn is_everyone(word: &str) -> bool {
    class("everyone").is_some_and(|members| members.iter().any(|member| is_word(word, member)))
}

fn holds(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|other| is_word(word, other))
}
