//! The client's side of the wire, without I/O.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::ClientError;
use crate::error::Refusal;
use crate::frame::{self, Decoder};
use crate::limits::{FRAME_AFTER_AUTH, FRAME_BEFORE_AUTH};
use crate::request::Method;
use crate::rpc::{self, CallId, Outcome, Reply};

/// Numbers calls, frames them, and sorts the replies that come back to them.
pub struct Wire {
    decoder: Decoder,
    cap: u32,
    last_id: CallId,
    /// Calls that have not been answered: nothing else is taken in, so replies are bounded by them.
    awaited: HashSet<CallId>,
    replies: HashMap<CallId, Outcome>,
    /// Why the daemon ends the connection: what it answered before that still counts.
    ended: Option<Refusal>,
}

/// Shows nothing of what came: replies carry credentials.
impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("last_id", &self.last_id)
            .finish_non_exhaustive()
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

impl Wire {
    /// A wire on which nothing has been proved.
    pub fn new() -> Self {
        Self {
            // Challenges are small, but a refusal is read too; both fit what a stranger may send.
            decoder: Decoder::new(FRAME_BEFORE_AUTH),
            cap: FRAME_BEFORE_AUTH,
            last_id: 0,
            awaited: HashSet::new(),
            replies: HashMap::new(),
            ended: None,
        }
    }

    /// Both sides have proved themselves: large frames may come and go.
    pub const fn open_up(&mut self) {
        self.cap = FRAME_AFTER_AUTH;
        self.decoder.set_cap(FRAME_AFTER_AUTH);
    }

    /// The bytes to send for `request`, and the id to wait for.
    ///
    /// # Errors
    /// [`ClientError::TooLarge`] when it does not fit a frame.
    pub fn call<M: Method>(&mut self, request: &M) -> Result<(CallId, Vec<u8>), ClientError> {
        self.last_id = self.last_id.wrapping_add(1);
        let payload = rpc::encode_call(self.last_id, request).map_err(|_| ClientError::Protocol)?;
        let bytes = frame::encode(&payload, self.cap).ok_or(ClientError::TooLarge)?;
        self.awaited.insert(self.last_id);
        Ok((self.last_id, bytes))
    }

    /// Takes in what was read from the stream.
    ///
    /// # Errors
    /// [`ClientError::Protocol`] when it is not of this protocol.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.decoder.push(bytes);
        while let Some(payload) = self
            .decoder
            .next_payload()
            .map_err(|_| ClientError::Protocol)?
        {
            let reply = Reply::decode(&payload).ok_or(ClientError::Protocol)?;
            match (reply.id, reply.outcome) {
                (Some(id), outcome) if self.awaited.remove(&id) => {
                    self.replies.insert(id, outcome);
                }
                (None, Err(refusal)) => self.ended = Some(refusal),
                (Some(_), _) | (None, Ok(_)) => return Err(ClientError::Protocol),
            }
        }
        Ok(())
    }

    /// The reply to call `id`, once it is there.
    ///
    /// # Errors
    /// [`ClientError::Protocol`] when it is not a reply to such a request; the daemon's reason
    /// when it ended the connection without one.
    pub fn reply<M: Method>(
        &mut self,
        id: CallId,
    ) -> Result<Option<Result<M::Reply, Refusal>>, ClientError> {
        match self.replies.remove(&id) {
            None => self
                .ended
                .take()
                .map_or(Ok(None), |refusal| Err(refusal.into())),
            Some(Err(refusal)) => Ok(Some(Err(refusal))),
            Some(Ok(value)) => {
                let reply = serde_json::from_value(value).map_err(|_| ClientError::Protocol)?;
                Ok(Some(Ok(reply)))
            }
        }
    }
}
