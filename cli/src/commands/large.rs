//! Messages too large to show: read whole, and written to a file of the reader's own.

use std::path::PathBuf;

use ipc_protocol::client::keep_whole;
use ipc_protocol::id::MessageId;
use ipc_protocol::limits::BODY_BYTES;
use ipc_protocol::message::Mail;
use ipc_protocol::request::{Read, ReadPage};

use crate::context::Context;
use crate::failure::Failure;
use crate::front::Front;

/// Reads the text from `offset` to its end. The page that comes back holds all of it.
pub(crate) fn read_whole(
    context: &mut Context,
    front: &mut Front,
    message_id: MessageId,
    offset: u64,
) -> Result<ReadPage, Failure> {
    let mut whole = front.call_again(context, &Read { message_id, offset })?;
    while let Some(next) = whole.next_offset {
        let page = front.call_again(
            context,
            &Read {
                message_id,
                offset: next,
            },
        )?;
        whole.message.text.push_str(&page.message.text);
        // A daemon that never comes to an end must not fill our memory.
        let is_stuck = page.next_offset.is_some_and(|after| after <= next);
        if is_stuck || whole.message.text.len() > BODY_BYTES {
            return Err(Failure::local(format!(
                "the pages of {message_id} do not end"
            )));
        }
        whole.next_offset = page.next_offset;
    }
    Ok(whole)
}

/// Reads the whole of `mail` and writes it under `large-messages`.
pub(crate) fn save(
    context: &mut Context,
    front: &mut Front,
    mail: &Mail,
) -> Result<PathBuf, Failure> {
    let whole = read_whole(context, front, mail.id, 0)?;
    Ok(keep_whole(&context.data_dir, mail, &whole.message.text)?)
}
