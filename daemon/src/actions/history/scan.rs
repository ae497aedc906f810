//! What a search finds, compared with reading every text: whatever of it is in the index of words.

use ipc_protocol::message::Kind;
use proptest::prelude::*;

use super::*;
use crate::actions::harness::Desk;
use crate::properties::cases;

const WORDS: [&str; 4] = ["red", "green", "greener", "blue"];

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    /// One of two agents says so many words.
    Say(usize, Vec<usize>),
    /// What was said goes into the index.
    Index,
    /// Days pass, after which what is old is deleted.
    Forget(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let words = proptest::collection::vec(0..WORDS.len(), 0..4);
    prop_oneof![
        8 => (0..2_usize, words).prop_map(|(who, words)| Step::Say(who, words)),
        1 => Just(Step::Index),
        1 => (1..25_i64).prop_map(Step::Forget),
    ]
}

/// A query, and whether a text of these words has what it asks for.
type Query = (&'static str, fn(&[&str]) -> bool);

fn has(text: &[&str], word: &str) -> bool {
    text.contains(&word)
}

const QUERIES: [Query; 6] = [
    ("green", |text| has(text, "green")),
    ("gree*", |text| has(text, "green") || has(text, "greener")),
    ("red blue", |text| has(text, "red") && has(text, "blue")),
    ("red OR blue", |text| has(text, "red") || has(text, "blue")),
    ("green -red", |text| has(text, "green") && !has(text, "red")),
    ("\"red blue\"", |text| {
        text.windows(2).any(|two| two == ["red", "blue"])
    }),
];

/// The texts that are left of what `who` said and was told, oldest first.
fn left(desk: &Desk, who: &Caller) -> Vec<(MessageId, String)> {
    let sql = "SELECT id, text FROM messages AS m JOIN bodies AS b ON b.message = seq
               WHERE sender = ?1 OR sender IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries
                   WHERE message = seq AND agent = ?1 AND state = 'delivered') ORDER BY seq";
    let mut query = desk.db.prepare(sql).unwrap();
    let rows = query.query_map([who.agent().to_row()], |row| {
        Ok((MessageId::from_row(row.get(0)?), row.get(1)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The same messages in the same order, all at once and a page at a time.
fn compare(desk: &mut Desk, who: &Caller) {
    let all = left(desk, who);
    for (text, fits) in QUERIES {
        let expected = all.iter().filter(|(_, said)| {
            let words: Vec<_> = said.split(' ').collect();
            fits(&words)
        });
        let expected: Vec<_> = expected.map(|(id, _)| *id).collect();
        for limit in [100, 3] {
            let mut found: Vec<MessageId> = Vec::new();
            let mut before = None;
            loop {
                let request = History {
                    search: Some(text.parse().unwrap()),
                    limit: Some(limit),
                    kind: Some(Kind::Message),
                    before,
                    ..History::default()
                };
                let page = desk.act(|c| history(&request, who, c)).unwrap();
                found.splice(0..0, page.entries.iter().map(|entry| entry.message.id));
                before = page.next_before;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{text}, {limit} a page");
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_search_finds_what_reading_every_text_finds(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let mut desk = Desk::new();
        let agents = ["alice", "bob"].map(|name| desk.register(name, false).unwrap());
        for step in &steps {
            match step {
                Step::Say(who, words) => {
                    let words: Vec<_> = words.iter().map(|at| WORDS[*at]).collect();
                    let who = &agents[*who];
                    desk.send(who, "alice", &format!("said {}", words.join(" "))).unwrap();
                }
                Step::Index => desk.index(),
                Step::Forget(days) => {
                    let mail = desk.fetch(&agents[0]);
                    desk.ack(&agents[0], mail.iter().map(|mail| mail.id).collect());
                    for _ in 0..*days {
                        desk.pass(86_400);
                        for who in &agents {
                            desk.ack(who, Vec::new());
                        }
                    }
                    desk.sweep();
                }
            }
        }
        for who in &agents {
            compare(&mut desk, who);
        }
        desk.check_index();
    }
}
