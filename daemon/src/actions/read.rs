//! `read`: the whole of a message, a page at a time.

use ipc_protocol::limits::READ_BYTES;
use ipc_protocol::request::{Read, ReadPage};

use super::parent;
use crate::caller::Caller;
use crate::error::Done;
use crate::store::context::View;
use crate::store::mail;

/// Reads a page of a message that the caller sent or received; changes nothing.
pub(crate) fn read(request: &Read, caller: &Caller, view: &View<'_>) -> Done<ReadPage> {
    let parent = parent::visible(view, caller, request.message_id)?;
    let mut message = mail::whole(view, parent.seq, caller.agent())?;
    let length = message.text.len();
    let offset = usize::try_from(request.offset)
        .unwrap_or(usize::MAX)
        .min(length);
    let start = mail::floor_char(&message.text, offset);
    let page = usize::try_from(READ_BYTES).unwrap_or(usize::MAX);
    let end = mail::floor_char(&message.text, start.saturating_add(page).min(length));
    message.text.truncate(end);
    message.text.drain(..start);
    message.truncated = start > 0 || end < length;
    let number = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
    if start > 0 {
        // The data came with the first page.
        message.data = None;
    }
    Ok(ReadPage {
        message,
        offset: number(start),
        next_offset: (end < length).then(|| number(end)),
    })
}
