//! What must not be understood, and why.

use ipc_protocol::name::InvalidName;

use super::super::Reason;
use super::understand;

fn reason(phrase: &str) -> Reason {
    match understand(phrase) {
        Err(doubt) => doubt.reason,
        Ok(intent) => panic!("{phrase:?} was understood as {intent:?}"),
    }
}

fn assert_all_doubt(expected: &Reason, phrases: &[&str]) {
    for phrase in phrases {
        assert_eq!(reason(phrase), *expected, "{phrase:?}");
    }
}

#[test]
fn what_fits_no_form() {
    assert_all_doubt(
        &Reason::Unknown,
        &[
            "",
            "   ",
            "???",
            "please",
            "hello",
            "stop",
            "start",
            "stop checking",
            "check the logs",
            "check bob",
            "check messages from bob",
            "any messages from bob?",
            "messages from bob",
            "message from bob: hi",
            "who's online from the team?",
            "rename bob to carol",
            "call bob jarvis",
            "call me back later",
            "my name is not bob",
            "i'm bob",
            "i don't want to be called bob",
            "start auto checking in 5 hours",
            "auto checking",
            "send bob hello",
            "send hello to bob",
            "send the logs to bob",
            "send bob: hello",
            "msg bob hello",
            "message bob hello",
            "send a message to bob hello",
            "broadcast deploying",
            "broadcast to bob: hi",
            "broadcast the logs to bob",
            "reply got it",
            "reply with a summary",
            "forward bob the last message",
            "forward to barney: fyi",
            "hey claude, tell bob hi",
            "what happened to the message that i told you to send?",
        ],
    );
}

#[test]
fn questions_about_sending_send_nothing() {
    assert_all_doubt(
        &Reason::Unknown,
        &[
            "should I tell bob the build is green?",
            "what did bob send to alice?",
            "did you tell bob: hi",
            "how do I tell bob: hi?",
            "can I message alice: hi",
            "why did you send to bob: hi",
            "who will tell bob?",
            "have you told bob the news",
        ],
    );
    assert_all_doubt(
        &Reason::Question,
        &[
            "register as bob?",
            "call me bob?",
            "rename to bob?",
            "forward to bob?",
            "stop auto checking?",
            "start auto checking every 5 minutes?",
        ],
    );
    assert_all_doubt(
        &Reason::PoliteQuestion,
        &[
            "could you tell bob the build is green?",
            "can you send bob a message saying hi?",
            "would you message everyone about the outage?",
        ],
    );
}

#[test]
fn what_is_not_to_be_done_is_not_done() {
    assert_all_doubt(
        &Reason::Negated,
        &[
            "don't tell bob: hi",
            "Don\u{2019}t tell bob the news",
            "dont msg bob: hi",
            "do not send to bob: hi",
            "please don't broadcast: hi",
            "never tell bob the news",
            "can you not tell bob: hi",
            "not now",
        ],
    );
    assert_eq!(reason("no, don't tell bob: hi"), Reason::Unknown);
    assert_eq!(reason("stop telling bob: hi"), Reason::Unknown);
}

#[test]
fn two_recipients_are_told_one_by_one() {
    assert_all_doubt(
        &Reason::OneByOne,
        &[
            "tell bob and carol the news",
            "tell bob and carol: hi",
            "tell Bob & Carol hi",
            "msg bob or carol: hi",
            "message bob and carol that it works",
            "send to bob and carol: hi",
            "send bob and carol a message: hi",
            "send a message to bob and carol: hi",
            "let bob and carol know it works",
            "ask bob and carol to wait",
            "forward to bob and carol",
            "forward this to bob and carol",
            "tell everyone and bob: hi",
        ],
    );
    let shape = InvalidName::Shape;
    let invalid = |word: &str| Reason::InvalidName {
        word: word.to_owned(),
        error: shape,
    };
    assert_eq!(reason("tell bob, carol the news"), invalid("bob,"));
    assert_eq!(reason("tell bob, carol: hi"), invalid("bob,"));
    assert_eq!(reason("msg bob/carol: hi"), invalid("bob/carol"));
}

#[test]
fn a_name_must_be_one() {
    let invalid = |phrase, word: &str, error| {
        let word = word.to_owned();
        assert_eq!(
            reason(phrase),
            Reason::InvalidName { word, error },
            "{phrase}"
        );
    };
    invalid("tell b\u{43e}b: hi", "b\u{43e}b", InvalidName::Shape);
    invalid("msg bob\u{200b}: hi", "bob\u{200b}", InvalidName::Shape);
    invalid("tell bob, hi", "bob,", InvalidName::Shape);
    invalid(
        "tell bob's agent: hi".trim_end_matches("agent: hi"),
        "bob's",
        InvalidName::Shape,
    );
    invalid("msg @bob: hi", "@bob", InvalidName::Shape);
    invalid("register as al/ice", "al/ice", InvalidName::Shape);
    invalid("register as system", "system", InvalidName::Reserved);
    invalid("call me Admin", "Admin", InvalidName::Reserved);
    invalid("rename to everyone", "everyone", InvalidName::Reserved);
    invalid("forward to all", "all", InvalidName::Reserved);
    let long = "x".repeat(33);
    invalid(&format!("register as {long}"), &long, InvalidName::Shape);
}

#[test]
fn an_ordinary_word_is_no_name() {
    for (phrase, word) in [
        ("call me later", "later"),
        ("call me back", "back"),
        ("call me maybe", "maybe"),
        ("call me when", "when"),
        ("call me if", "if"),
        ("call me now", "now"),
        ("register as soon", "soon"),
        ("register later", "later"),
        ("my name is unread", "unread"),
        ("tell me what bob said", "me"),
        ("tell them it works", "them"),
        ("tell the team it works", "the"),
        ("ask if bob is here", "if"),
        ("ask me later", "me"),
        ("let me know when bob answers", "me"),
        ("message received: thanks", "received"),
        ("message from: bob", "from"),
        ("Message ID: 5", "ID"),
        ("send to me: hi", "me"),
        ("forward it to him", "him"),
    ] {
        assert_eq!(
            reason(phrase),
            Reason::OrdinaryWord(word.to_owned()),
            "{phrase}"
        );
    }
}

#[test]
fn a_text_must_be_there() {
    assert_all_doubt(
        &Reason::NoText,
        &[
            "msg claude",
            "msg claude:",
            "msg claude: \n",
            "tell bob",
            "tell bob that",
            "tell bob to:",
            "ask bob",
            "message alice about",
            "message alice saying",
            "send to bob",
            "send to bob:",
            "send bob a message",
            "send a message to bob",
            "send a message to bob asking",
            "let bob know",
            "let bob know that",
            "reply",
            "reply:",
            "broadcast",
            "broadcast:",
            "broadcast to all",
            "tell everyone:",
        ],
    );
    assert_all_doubt(
        &Reason::NoName,
        &[
            "message: hi",
            "tell: hi",
            "send a message",
            "forward",
            "register",
            "call me",
            "rename",
        ],
    );
}

#[test]
fn a_text_that_commands_take_for_something_else_is_none() {
    let not = |text: &str| Reason::NotAText(text.to_owned());
    assert_eq!(reason("msg bob: -"), not("-"));
    assert_eq!(reason("broadcast: -"), not("-"));
    assert_eq!(reason("reply: -"), not("-"));
    assert_eq!(reason("reply: m.0123456789abc"), not("m.0123456789abc"));
}

#[test]
fn a_condition_a_time_or_an_exception_is_no_text() {
    for (phrase, word) in [
        ("tell bob if the tests fail", "if"),
        ("tell bob when the build is done", "when"),
        ("tell bob later", "later"),
        ("tell bob in 5 minutes", "in"),
        ("tell bob what happened", "what"),
        ("let bob know once it works", "once"),
        ("ask bob tomorrow", "tomorrow"),
        ("ask bob in an hour if it works", "in"),
        ("tell bob again that it works", "again"),
        ("tell everyone except bob: hi", "except"),
        ("tell everyone else: hi", "else"),
        ("tell claude code to stop", "code"),
        ("ask claude code to stop", "code"),
        ("tell bob smith: hi", "smith"),
        ("tell bob @carol hi", "@carol"),
        ("tell bob it works and tell carol to wait", "tell"),
        ("tell bob it works; stop auto checking", "stop"),
        ("tell bob it works\nmsg carol: hi", "msg"),
        ("message bob that it works\ncheck messages", "check"),
        ("tell everyone but bob it works", "but"),
        ("tell everybody in the team hi", "in"),
        ("let everyone know when it works", "when"),
    ] {
        assert_eq!(reason(phrase), Reason::Unclear(word.to_owned()), "{phrase}");
    }
}

#[test]
fn minutes_are_a_number_from_1_to_60() {
    for word in [
        "0", "61", "256", "-5", "+5", "5.5", "five", "1e1", "\u{665}",
    ] {
        let phrase = format!("start auto checking every {word} minutes");
        assert_eq!(
            reason(&phrase),
            Reason::Minutes(word.to_owned()),
            "{phrase}"
        );
    }
    let huge = reason(&format!("start auto checking {}", "9".repeat(400)));
    assert!(huge.to_string().chars().count() < 100, "{huge}");
}

#[test]
fn a_reply_does_not_choose_whom_it_answers() {
    assert_all_doubt(
        &Reason::AnswerTo,
        &[
            "reply to bob: hi",
            "answer to bob that it works",
            "respond to bob",
        ],
    );
}
