//! Frames over one stream: bounded, on time, and charged to the daemon's budget of bytes.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::frame::{self, Decoder};
use ipc_protocol::limits::{FRAME_AFTER_AUTH, FRAME_BEFORE_AUTH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits::{FRAME_DEADLINE, WRITE_DEADLINE};

/// Bytes asked of the stream at once.
const CHUNK: usize = 16 * 1_024;

/// The same while the peer is a stranger.
const SMALL_CHUNK: usize = 512;

/// Why nothing more can be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The peer closed its side, or nothing more is taken.
    Closed,
    /// The stream failed: the peer closed it with something unread in it.
    Lost,
    /// The peer announced a frame of a length that is not allowed.
    Length,
    /// The peer was too slow.
    Late,
}

/// One request's bytes, and what a large one is charged to while it is on its way.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) charge: Charge,
}

/// Room that a large request takes, in its agent's share and in the daemon's, until dropped.
#[derive(Debug, Default)]
pub(crate) struct Charge {
    own: Option<OwnedSemaphorePermit>,
    all: Option<OwnedSemaphorePermit>,
    /// Charged, and not read yet.
    ahead: usize,
}

/// The reading side.
#[derive(Debug)]
pub(crate) struct FrameReader {
    stream: OwnedReadHalf,
    decoder: Decoder,
    inbound: Arc<Semaphore>,
    /// The agent's share of it; nothing while small frames are all that may come.
    share: Option<Arc<Semaphore>>,
    charge: Charge,
    /// When the frame that has begun must be complete.
    due: Option<Instant>,
    chunk: Box<[u8]>,
}

/// The writing side.
#[derive(Debug)]
pub(crate) struct FrameWriter {
    stream: OwnedWriteHalf,
}

/// Splits a fresh connection.
pub(crate) fn split(stream: UnixStream, inbound: Arc<Semaphore>) -> (FrameReader, FrameWriter) {
    let (reading, writing) = stream.into_split();
    let reader = FrameReader {
        stream: reading,
        decoder: Decoder::new(FRAME_BEFORE_AUTH),
        inbound,
        share: None,
        charge: Charge::default(),
        due: None,
        chunk: vec![0; SMALL_CHUNK].into_boxed_slice(),
    };
    (reader, FrameWriter { stream: writing })
}

impl FrameReader {
    /// An agent speaks from now on: large frames may come, out of its `share`.
    pub(crate) fn open_up(&mut self, share: Arc<Semaphore>) {
        self.decoder.set_cap(FRAME_AFTER_AUTH);
        self.share = Some(share);
        self.chunk = vec![0; CHUNK].into_boxed_slice();
    }

    /// The next request's bytes. May be dropped and called again at any point: what was read is
    /// kept.
    pub(crate) async fn next(&mut self) -> Result<Payload, Gone> {
        loop {
            let missing = self.decoder.missing().map_err(|_| Gone::Length)?;
            if missing == 0
                && let Some(bytes) = self.decoder.next_payload().map_err(|_| Gone::Length)?
            {
                self.due = None;
                return Ok(Payload {
                    bytes,
                    charge: std::mem::take(&mut self.charge),
                });
            }
            let most = missing.min(self.chunk.len());
            if self.decoder.is_larger_than(FRAME_BEFORE_AUTH) {
                self.make_room(most).await?;
            }
            self.read(most).await?;
        }
    }

    /// A large frame is charged as it comes, not as it is announced; over the budget, the
    /// connection is not read until there is room.
    async fn make_room(&mut self, most: usize) -> Result<(), Gone> {
        let needed = most.saturating_sub(self.charge.ahead);
        let permits = u32::try_from(needed).map_err(|_| Gone::Length)?;
        let Some(share) = self.share.clone().filter(|_| permits > 0) else {
            return Ok(());
        };
        let at_once = self.inbound.available_permits() >= needed;
        let closed = |_| Gone::Closed;
        let own = share.acquire_many_owned(permits).await.map_err(closed)?;
        let all = Arc::clone(&self.inbound)
            .acquire_many_owned(permits)
            .await
            .map_err(closed)?;
        merge(&mut self.charge.own, own);
        merge(&mut self.charge.all, all);
        self.charge.ahead = self.charge.ahead.saturating_add(needed);
        if !at_once {
            // Waiting for room is not the peer's slowness.
            self.due = Some(Instant::now() + FRAME_DEADLINE);
        }
        Ok(())
    }

    async fn read(&mut self, most: usize) -> Result<(), Gone> {
        let into = self.chunk.get_mut(..most).unwrap_or_default();
        let read = match self.due {
            Some(due) => timeout_at(due, self.stream.read(into))
                .await
                .map_err(|_| Gone::Late)?,
            None => self.stream.read(into).await,
        };
        let read = read.map_err(|_| Gone::Lost)?;
        if read == 0 {
            return Err(Gone::Closed);
        }
        self.due = self.due.or_else(|| Some(Instant::now() + FRAME_DEADLINE));
        self.charge.ahead = self.charge.ahead.saturating_sub(read);
        self.decoder
            .push(self.chunk.get(..read).unwrap_or_default());
        Ok(())
    }
}

fn merge(held: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
}

impl FrameWriter {
    /// Writes one reply; a peer that does not take it in time is gone.
    pub(crate) async fn write(&mut self, payload: &[u8]) -> Result<(), Gone> {
        let frame = frame::encode(payload, FRAME_AFTER_AUTH).ok_or(Gone::Length)?;
        let written = timeout(WRITE_DEADLINE, self.stream.write_all(&frame)).await;
        written.map_err(|_| Gone::Late)?.map_err(|_| Gone::Closed)
    }

    /// Lets the peer read what was written before the connection closes.
    pub(crate) async fn finish(mut self) {
        let closing = self.stream.shutdown();
        drop(timeout(Duration::from_secs(1), closing).await);
    }
}
