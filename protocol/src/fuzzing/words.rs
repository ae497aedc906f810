//! Short texts of peers: names, ids, tokens, searches, and what is shown of any text.

use std::fmt::Display;
use std::str::FromStr;

use crate::conversation::Title;
use crate::id::{AgentId, ConversationId, MessageId};
use crate::moment::Moment;
use crate::name::{Name, Peer, Recipient};
use crate::profile::{Capability, StatusText, SummaryText};
use crate::safe;
use crate::search::SearchQuery;
use crate::token::{Sid, Token, contains_token};

/// Characters of a token.
const TOKEN_CHARS: usize = 76;

/// Names, ids and the other short words: what was parsed is written as it was read.
pub fn names(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    if let Some(name) = one_spelling::<Name>(text) {
        assert!(text.len() <= 32 && text.is_ascii() && !text.contains(safe::is_hidden));
        let folded = Name::parse(&name.folded());
        assert!(folded.is_ok_and(|folded| folded.same_as(&name)));
    }
    one_spelling::<AgentId>(text);
    one_spelling::<MessageId>(text);
    one_spelling::<ConversationId>(text);
    if let Ok(read) = text.parse::<Recipient>() {
        assert_eq!(String::from(read.clone()).parse(), Ok(read));
    }
    if let Ok(read) = text.parse::<Peer>() {
        assert_eq!(String::from(read), text);
    }
    if let Ok(sid) = Sid::try_from(text.to_owned()) {
        assert_eq!(sid.to_string(), text);
    }
    if let Ok(title) = Title::parse(text) {
        assert!(!title.shown().contains(safe::is_hidden));
    }
    for line in [
        StatusText::try_from(text.to_owned()).map(String::from),
        SummaryText::try_from(text.to_owned()).map(String::from),
        Capability::try_from(text.to_owned()).map(String::from),
    ]
    .into_iter()
    .flatten()
    {
        assert!(line == text && !line.contains(char::is_control));
    }
    assert!(text.parse::<Moment>().is_err() || text.is_ascii());
}

/// What `text` is, if it is one; written, it is the same text.
fn one_spelling<T: FromStr + Display>(text: &str) -> Option<T> {
    let read: T = text.parse().ok()?;
    assert_eq!(read.to_string(), text);
    Some(read)
}

/// Tokens: one spelling, and found in a text wherever they stand.
pub fn token(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    if let Ok(token) = Token::parse(text) {
        assert_eq!(token.expose().as_str(), text);
        let key = text.get(27..).unwrap_or_default();
        assert!(!format!("{token:?}").contains(key));
        assert!(contains_token(&format!("ipc{text}\u{e4}")));
    }
    let stands_at = |at: usize| {
        let candidate = text.get(at..at.saturating_add(TOKEN_CHARS));
        candidate.is_some_and(|candidate| Token::parse(candidate).is_ok())
    };
    assert_eq!(contains_token(text), (0..text.len()).any(stands_at));
}

/// The safe renderer: no character that a terminal obeys or hides survives, and nothing is lost.
pub fn renderer(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    for (shown, stays) in [(safe::block(text), "\n\t"), (safe::line(text), "")] {
        let is_wrong = |c: char| safe::is_hidden(c) && !stays.contains(c);
        assert!(!shown.contains(is_wrong), "{shown:?}");
        let mut left = shown.chars();
        let visible = text.chars().filter(|c| !is_wrong(*c));
        for c in visible {
            assert!(left.any(|other| other == c), "{c:?} was lost");
        }
        assert_eq!(safe::block(&shown), shown);
        assert!(!safe::line(&shown).contains(['\n', '\t', '\u{1b}', '\u{9b}', '\u{7f}']));
    }
    assert_eq!(safe::line(&safe::line(text)), safe::line(text));
}

/// Searches: a query is written as it was typed, and its terms hold nothing that could end a string.
pub fn search(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    let Ok(query) = text.parse::<SearchQuery>() else {
        return;
    };
    assert_eq!(String::from(query.clone()), text);
    let terms = || query.groups().flatten().chain(query.without());
    assert!(query.groups().count() > 0 && query.groups().all(|group| !group.is_empty()));
    assert!(terms().count() <= crate::limits::SEARCH_TERMS);
    for term in terms() {
        assert!(term.words().contains(char::is_alphanumeric));
        assert!(!term.words().contains(|c: char| c == '"' || c.is_control()));
    }
}
