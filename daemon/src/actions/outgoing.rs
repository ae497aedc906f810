//! A message on its way into the store, whichever request it came by, and what its body may be.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::message::{Data, Kind};
use ipc_protocol::name::Recipient;
use ipc_protocol::token::contains_token;

use crate::error::{Done, refuse};
use crate::store::context::View;
use crate::store::messages::{Draft, Parent};

/// A message on its way into the store, whichever request it came by.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) to: &'a Recipient,
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) data: Option<&'a Data>,
    /// The message that this one answers or passes on.
    pub(crate) parent: Option<&'a Parent>,
    /// Whether it passes its parent on rather than answering it.
    pub(crate) passes_on: bool,
    /// Whether it answers and more of the answer comes.
    pub(crate) interim: bool,
    pub(crate) known_only: bool,
}

/// Refuses an empty or too large body, and one with a token of ours in it.
pub(super) fn check_body(mail: &Outgoing<'_>, view: &View<'_>) -> Done<()> {
    let draft = Draft {
        kind: mail.kind,
        text: mail.text,
        data: mail.data,
        reply_to: None,
        conversation: None,
        hops: 0,
        interim: false,
    };
    let data = draft.data_text()?.unwrap_or_default();
    let bytes = mail.text.len().saturating_add(data.len());
    if mail.text.is_empty() {
        return refuse(
            ErrorCode::Malformed,
            "the message is empty",
            "give it a text",
        );
    }
    if u32::try_from(bytes).map_or(true, |bytes| bytes > view.limits.body_bytes) {
        let text = format!(
            "the message is larger than {} bytes",
            view.limits.body_bytes
        );
        let hint = "put it into a file that the recipient can read, and send the path";
        return Err(Refusal::new(ErrorCode::TooLarge, text).hint(hint).into());
    }
    if contains_token(mail.text) || contains_token(&data) {
        return refuse(
            ErrorCode::Forbidden,
            "the message holds a token of this program; it was not stored",
            "take the token out; nobody but its agent may have it",
        );
    }
    Ok(())
}
