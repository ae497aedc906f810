//! Idempotency: the same request under the same key is done once, and answered alike every time.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::IdempotencyKey;
use ipc_protocol::request::{Method, Sent};
use sha2::{Digest, Sha256};

use crate::caller::Caller;
use crate::error::{Done, Fault, refuse};
use crate::secrets;
use crate::store::context::Context;
use crate::store::deliveries;
use crate::store::messages::{self, Earlier, Seq};

/// Does `request` with `act`, unless its key says that it has been done.
///
/// What makes two requests the same is what the caller said, not what it meant then: "the last
/// message received" may be another one by now.
pub(crate) fn once<M: Method>(
    request: &M,
    key: Option<&IdempotencyKey>,
    caller: &Caller,
    context: &mut Context<'_>,
    act: impl FnOnce(&mut Context<'_>) -> Done<(Sent, Seq)>,
) -> Done<Sent> {
    let Some(key) = key else {
        return act(context).map(|(sent, _)| sent);
    };
    let said = digest(request)?;
    if let Some(earlier) = messages::earlier(context.db, caller.agent(), key)? {
        return again(&earlier, &said, context);
    }
    let (sent, seq) = act(context)?;
    messages::remember(context.db, caller.agent(), key, said, seq)?;
    Ok(sent)
}

fn again(earlier: &Earlier, said: &[u8; 32], context: &Context<'_>) -> Done<Sent> {
    if earlier.content != *said {
        return refuse(
            ErrorCode::Conflict,
            "this idempotency key was used for another message",
            "use a new key for a new message, or the same message with the old key",
        );
    }
    let (text, data) = messages::body(context.db, earlier.seq)?;
    Ok(Sent {
        message_id: earlier.id,
        sent_ms: earlier.sent,
        recipients: deliveries::recipients(context.db, earlier.seq)?,
        conversation: earlier.conversation,
        masked: secrets::masked_in(&text, data.as_ref(), context.secrets),
        duplicate: true,
    })
}

fn digest<M: Method>(request: &M) -> Result<[u8; 32], Fault> {
    // Keys of a JSON object are sorted here, so one request has one text.
    let said = serde_json::to_value(request).and_then(|said| serde_json::to_vec(&(M::NAME, said)));
    let said = said.map_err(|_| Fault::Inconsistent("a request that is no JSON"))?;
    Ok(Sha256::digest(said).into())
}
