//! Phrases and what they mean, as data.

mod doubts;
mod properties;
mod variants;

use ipc_protocol::name::Name;

use super::{Action, AutoCheck, Intent, Minutes, understand};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn send(to: &str, text: &str) -> Action {
    let (to, text) = (name(to), text.to_owned());
    Action::Send { to, text }
}

fn everyone(text: &str) -> Action {
    Action::Broadcast(text.to_owned())
}

fn register(text: &str) -> Action {
    Action::Register(name(text))
}

fn rename(text: &str) -> Action {
    Action::Rename(name(text))
}

fn forward(text: &str) -> Action {
    Action::Forward(name(text))
}

fn reply(text: &str) -> Action {
    Action::Reply(text.to_owned())
}

const fn every(minutes: u8) -> Action {
    Action::AutoCheck(AutoCheck::Start(Some(Minutes(minutes))))
}

const START: Action = Action::AutoCheck(AutoCheck::Start(None));
const STOP: Action = Action::AutoCheck(AutoCheck::Stop);
const HOW: Action = Action::AutoCheck(AutoCheck::Status);

fn assert_each_means(table: &[(&str, Action)]) {
    for (phrase, action) in table {
        let expected = Ok(Intent::Action(action.clone()));
        assert_eq!(understand(phrase), expected, "{phrase:?}");
    }
}

fn assert_all_mean(action: &Action, phrases: &[&str]) {
    for phrase in phrases {
        let expected = Ok(Intent::Action(action.clone()));
        assert_eq!(understand(phrase), expected, "{phrase:?}");
    }
}

/// The phrases that have always been understood, each with what it means.
fn customary() -> Vec<(&'static str, Action)> {
    let mut all = customary_mail();
    for (action, phrases) in CUSTOMARY {
        all.extend(phrases.iter().map(|phrase| (*phrase, action.clone())));
    }
    all
}

const CUSTOMARY: &[(Action, &[&str])] = &[
    (
        Action::Check,
        &[
            "msgs?",
            "messages?",
            "check messages",
            "check my messages",
            "any messages?",
            "any new messages?",
            "do I have messages?",
            "what messages do I have?",
        ],
    ),
    (
        Action::List,
        &[
            "list instances",
            "list all instances",
            "who's online?",
            "show active instances",
            "show who's connected",
            "which AIs are active?",
        ],
    ),
    (START, &["start auto checking"]),
    (every(2), &["turn on auto checking for 2 minutes"]),
    (every(3), &["enable auto check with 3 minute interval"]),
    (every(5), &["start auto checking every 5 minutes"]),
    (every(10), &["start auto checking 10"]),
    (every(15), &["auto check messages every 15 min"]),
    (
        STOP,
        &[
            "stop auto checking",
            "disable auto check",
            "turn off auto checking",
            "no more auto checks",
        ],
    ),
    (
        HOW,
        &[
            "is auto checking on?",
            "auto check status",
            "how often are we auto checking?",
            "when's the next auto check?",
        ],
    ),
];

fn customary_mail() -> Vec<(&'static str, Action)> {
    vec![
        ("Register this instance as claude", register("claude")),
        ("Register as barney", register("barney")),
        ("msg claude: need help", send("claude", "need help")),
        ("send to barney: done", send("barney", "done")),
        ("tell fred: check the logs", send("fred", "check the logs")),
        ("message alice: meeting in 5", send("alice", "meeting in 5")),
        (
            "msg claude about the database issue",
            send("claude", "about the database issue"),
        ),
        (
            "tell barney the deployment is done",
            send("barney", "the deployment is done"),
        ),
        (
            "send fred a message to check logs",
            send("fred", "check logs"),
        ),
        (
            "send a message to claude asking how to X",
            send("claude", "how to X"),
        ),
        (
            "message alice that we're starting",
            send("alice", "we're starting"),
        ),
        ("Send a message to fred: Hey", send("fred", "Hey")),
        ("Send to nessa: Welcome", send("nessa", "Welcome")),
        ("broadcast: urgent", everyone("urgent")),
        ("broadcast to all: update", everyone("update")),
        ("tell everyone: meeting now", everyone("meeting now")),
        ("send to all: deploying", everyone("deploying")),
        (
            "message everyone about the outage",
            everyone("about the outage"),
        ),
        ("rename to fred-debugging", rename("fred-debugging")),
        ("change my name to alice-v2", rename("alice-v2")),
        ("rename myself to charlie-prod", rename("charlie-prod")),
        ("reply: got it", reply("got it")),
        ("forward to barney", forward("barney")),
    ]
}

/// The phrases of those that ask for a name, whoever says them.
const CALLED: [(&str, &str); 4] = [
    ("I want to be called fred", "fred"),
    ("My name is alice", "alice"),
    ("Call me jarvis", "jarvis"),
    ("I want to be called bob-testing now", "bob-testing"),
];

#[test]
fn every_customary_phrase_is_understood() {
    assert_each_means(&customary());
    for (phrase, expected) in CALLED {
        let expected = Ok(Intent::CallMe(name(expected)));
        assert_eq!(understand(phrase), expected, "{phrase:?}");
    }
}

#[test]
fn politeness_spaces_and_apostrophes_change_nothing() {
    for (phrase, action) in customary() {
        let spaced = format!(" \t{phrase}\n");
        let please = format!("please {phrase}");
        let now = format!("Now, {phrase}");
        let hey = format!("Hey! Could you please {phrase}");
        let curly = phrase.replace("who's", "who\u{2019}s");
        let curly = curly.replace("when's", "when\u{2019}s");
        for variant in [spaced, please, now, hey, curly] {
            let expected = Ok(Intent::Action(action.clone()));
            assert_eq!(understand(&variant), expected, "{variant:?}");
        }
    }
}

#[test]
fn words_of_a_form_may_be_in_any_case() {
    for (phrase, action) in customary() {
        let loud = phrase.to_ascii_uppercase();
        let understood = understand(&loud);
        let Ok(Intent::Action(loud_action)) = &understood else {
            panic!("{loud}: {understood:?}");
        };
        let kind = std::mem::discriminant;
        assert_eq!(kind(loud_action), kind(&action), "{loud}");
    }
}
