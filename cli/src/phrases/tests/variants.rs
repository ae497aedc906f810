//! What is close to the customary phrases.

use super::{
    Action, CALLED, HOW, Intent, START, STOP, assert_all_mean, assert_each_means, every, everyone,
    forward, name, register, rename, reply, send, understand,
};

#[test]
fn mail_to_one_agent() {
    assert_each_means(&[
        ("MSG Claude: Need HELP", send("Claude", "Need HELP")),
        ("msg claude:need help", send("claude", "need help")),
        ("msg claude : need help", send("claude", "need help")),
        ("msg \"claude\": need help", send("claude", "need help")),
        ("message alice saying hi there", send("alice", "hi there")),
        ("message alice that: hi", send("alice", "hi")),
        (
            "msg alice to restart the server",
            send("alice", "restart the server"),
        ),
        (
            "message alice asking if it works",
            send("alice", "if it works"),
        ),
        ("message alice about: x", send("alice", "about: x")),
        (
            "send a message to bob saying I'm late",
            send("bob", "I'm late"),
        ),
        ("send a msg to bob: x", send("bob", "x")),
        ("send the message to bob: x", send("bob", "x")),
        ("send message to bob: x", send("bob", "x")),
        (
            "send a message to bob to check logs",
            send("bob", "check logs"),
        ),
        ("send a message to bob about x", send("bob", "about x")),
        ("send bob a message: x", send("bob", "x")),
        ("send bob a message saying: x", send("bob", "x")),
        ("send bob a message about lunch", send("bob", "about lunch")),
        (
            "send bob a msg asking where he is",
            send("bob", "where he is"),
        ),
    ]);
}

#[test]
fn what_an_agent_is_told_or_asked() {
    assert_each_means(&[
        (
            "tell bob that the build is green",
            send("bob", "the build is green"),
        ),
        ("tell bob to wait", send("bob", "wait")),
        ("tell bob not to deploy", send("bob", "not to deploy")),
        ("tell bob about the outage", send("bob", "about the outage")),
        ("tell bob thanks", send("bob", "thanks")),
        ("tell bob :) hi", send("bob", ":) hi")),
        ("let bob know: x", send("bob", "x")),
        ("let bob know that it works", send("bob", "it works")),
        ("let bob know it works", send("bob", "it works")),
        ("ask bob: ready?", send("bob", "ready?")),
        ("ask bob if he's ready?", send("bob", "if he's ready?")),
        ("ask bob to check the logs", send("bob", "check the logs")),
        ("ask bob how it works", send("bob", "how it works")),
        (
            "could you ask bob if he's ready?",
            send("bob", "if he's ready?"),
        ),
        ("can you msg bob: ready?", send("bob", "ready?")),
        ("okay, please tell bob it works", send("bob", "it works")),
        ("tell bob-2: x", send("bob-2", "x")),
    ]);
}

#[test]
fn mail_to_everyone() {
    let phrases = [
        "broadcast to everyone: hi",
        "broadcast a message: hi",
        "broadcast that hi",
        "broadcast to all agents: hi",
        "broadcast to all saying hi",
        "tell everyone hi",
        "tell everybody that hi",
        "tell all: hi",
        "tell all agents: hi",
        "tell all of them to hi",
        "send to everyone: hi",
        "send a message to everyone: hi",
        "send a message to all saying hi",
        "send everyone a message: hi",
        "message everyone: hi",
        "msg all: hi",
        "MSG ALL: hi",
        "let everyone know hi",
        "let everyone know that hi",
        "ask everyone to hi",
    ];
    assert_all_mean(&everyone("hi"), &phrases);
}

#[test]
fn names() {
    assert_all_mean(
        &register("fred"),
        &[
            "register as fred!",
            "register me as fred, please",
            "register this agent as 'fred'",
            "register this session as fred now.",
            "register fred",
            "could you register as fred?",
        ],
    );
    assert_all_mean(
        &rename("fred"),
        &[
            "rename me to fred",
            "rename this instance to fred.",
            "change name to fred",
            "rename myself as fred",
        ],
    );
    for (phrase, expected) in CALLED {
        let expected = Ok(Intent::CallMe(name(expected)));
        for variant in [format!("{phrase}!"), format!("hello, {phrase} please")] {
            assert_eq!(understand(&variant), expected, "{variant}");
        }
    }
}

#[test]
fn answers_and_passing_on() {
    assert_all_mean(
        &reply("on it"),
        &[
            "Reply: on it",
            "reply with: on it",
            "reply that on it",
            "reply saying on it",
            "answer: on it",
        ],
    );
    assert_all_mean(
        &forward("barney"),
        &[
            "forward this to barney",
            "forward it to barney, please.",
            "forward the last message to barney",
            "forward that message to barney",
            "please forward that to barney",
        ],
    );
}

#[test]
fn looking_for_mail() {
    assert_all_mean(
        &Action::Check,
        &[
            "check",
            "Check!",
            "messages",
            "msgs",
            "mail?",
            "check mail",
            "check my inbox",
            "check for messages",
            "check for new messages",
            "check for any new messages",
            "check messages again please",
            "any unread messages?",
            "any mail for me?",
            "do I have any new messages?",
            "do i have mail",
            "read my messages",
            "show new messages",
            "show me my messages",
            "get my mail",
            "are there any messages?",
            "did I get any mail?",
            "what new messages do I have?",
            "can you check my messages?",
            "have I got mail?",
        ],
    );
}

#[test]
fn looking_around() {
    assert_all_mean(
        &Action::List,
        &[
            "list",
            "list agents",
            "list the agents",
            "list all active agents",
            "show agents",
            "show all instances",
            "show me all agents",
            "who is online?",
            "whos online",
            "who's here?",
            "who's connected?",
            "show me who's online",
            "which agents are online?",
            "what instances are running?",
            "WHO\u{2019}S THERE",
        ],
    );
    assert_all_mean(
        &Action::Whoami,
        &["who am I?", "whoami", "what's my name?", "what is my name"],
    );
    assert_all_mean(
        &Action::Status,
        &[
            "status",
            "status?",
            "ipc status",
            "show the daemon status",
            "is the daemon running?",
        ],
    );
}

#[test]
fn looking_by_itself() {
    assert_all_mean(
        &START,
        &[
            "enable auto-check",
            "turn on autocheck",
            "turn auto checking on now",
        ],
    );
    assert_all_mean(
        &every(5),
        &[
            "start auto-checking every 5 mins",
            "start auto check 5 minutes",
            "start auto checking messages every 5 minutes please",
            "enable auto-check with a 5 minute interval",
            "turn on auto-check every 5 min.",
            "auto-check every 5 minutes",
            "auto check my messages every 05 minutes",
            "can you start auto checking every 5 minutes?",
        ],
    );
    assert_each_means(&[
        ("start auto checking 1", every(1)),
        ("start auto checking every 1 minute", every(1)),
        ("start auto checking 60", every(60)),
    ]);
    assert_all_mean(
        &STOP,
        &[
            "stop auto-check",
            "stop auto checking messages",
            "turn auto checking off!",
            "end autochecking",
        ],
    );
    assert_all_mean(
        &HOW,
        &[
            "is auto-check enabled?",
            "auto-check status?",
            "status of auto checking",
            "how often do you auto check?",
            "when is the next auto-check",
            "what's the auto check interval?",
            "are we auto checking?",
        ],
    );
}

#[test]
fn a_text_is_kept_byte_for_byte() {
    let texts = [
        "two  spaces\tand a tab",
        "line one\nline two: \"quoted\" 'too'",
        "a: b: c",
        "- [ ] item",
        "please do it now, thanks",
        "\u{1b}[31mred\u{202e}",
        "Don\u{2019}t!?",
        "\"in quotes\"",
        "--help",
        "-n",
        "42",
        "?",
        "to bob and carol: x",
    ];
    for text in texts {
        let phrase = format!("msg Bob: {text}");
        assert_each_means(&[(&phrase, send("Bob", text))]);
        let phrase = format!("broadcast:{text}");
        assert_each_means(&[(&phrase, everyone(text))]);
    }
}
