//! Any bytes as a phrase.

use super::{Action, Intent, understand};

/// What is sent stands in the phrase as it is, is not empty and ends where the phrase does; and who is
/// doubted is shown what could be meant.
pub(crate) fn phrases(bytes: &[u8]) {
    let phrase = String::from_utf8_lossy(bytes);
    match understand(&phrase) {
        Ok(Intent::Action(
            Action::Send { text, .. } | Action::Broadcast(text) | Action::Reply(text),
        )) => {
            assert!(!text.is_empty() && text.trim() == text);
            assert!(phrase.contains(&text), "{text:?} is not in the phrase");
        }
        Ok(Intent::CallMe(_) | Intent::Action(_)) => {}
        Err(doubt) => assert!(doubt.nearest.iter().all(|form| !form.is_empty())),
    }
}

#[cfg(test)]
#[test]
fn phrases_hold_for_their_seeds() {
    crate::seeds::replay("phrases", phrases);
}
