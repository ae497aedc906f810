//! The blocking driver: one call at a time over one stream.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::connect::Connection;
use super::{ClientError, PATIENCE, Wire};
use crate::auth::{ClientHello, Credential, SeenPeers};
use crate::request::Method;

/// Bytes asked of the stream at once.
const CHUNK: usize = 16 * 1_024;

/// A connection on which both sides have proved themselves.
#[derive(Debug)]
pub struct Client<S> {
    stream: S,
    wire: Wire,
    patience: Duration,
}

impl<S: Read + Write> Client<S> {
    /// Proves `credential` over `stream`, and has the daemon prove itself.
    ///
    /// # Errors
    /// [`ClientError`]; where the daemon cannot be trusted, nothing that matters was sent.
    pub fn prove(
        stream: S,
        credential: &Credential,
        nonce: [u8; 32],
        seen: SeenPeers,
    ) -> Result<Self, ClientError> {
        Self::prove_within(stream, credential, nonce, seen, PATIENCE)
    }

    fn prove_within(
        stream: S,
        credential: &Credential,
        nonce: [u8; 32],
        seen: SeenPeers,
        patience: Duration,
    ) -> Result<Self, ClientError> {
        let mut client = Self {
            stream,
            wire: Wire::new(),
            patience,
        };
        let hello = ClientHello::new(credential, nonce);
        let challenge = client.call(&hello.request())?;
        let (proof, expected) = hello.answer(&challenge, seen)?;
        let signed = client.call(&proof)?;
        expected.verify(&signed)?;
        client.wire.open_up();
        Ok(client)
    }

    /// Makes one call and waits for its reply.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the daemon says no; anything else ends the connection.
    pub fn call<M: Method>(&mut self, request: &M) -> Result<M::Reply, ClientError> {
        let (id, bytes) = self.wire.call(request)?;
        // A daemon that refuses early has closed its side; what it said is still there to read.
        let written = self
            .stream
            .write_all(&bytes)
            .and_then(|()| self.stream.flush());
        let mut chunk = [0; CHUNK];
        let begun = now();
        loop {
            if let Some(reply) = self.wire.reply::<M>(id)? {
                return reply.map_err(ClientError::from);
            }
            // The stream's own timeout is for one read: a false daemon could send a byte at a time.
            if begun.elapsed() > self.patience {
                return Err(ClientError::TimedOut(self.patience));
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(closed(written)),
                Ok(read) => self.wire.push(chunk.get(..read).unwrap_or_default())?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Err(ClientError::TimedOut(self.patience));
                }
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Err(ClientError::Closed);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Client<UnixStream> {
    /// Proves `credential` over a connection made by [`super::connect()`].
    ///
    /// # Errors
    /// As [`Client::prove`].
    pub fn open(
        connection: Connection,
        credential: &Credential,
        nonce: [u8; 32],
    ) -> Result<Self, ClientError> {
        let Connection {
            stream,
            seen,
            patience,
        } = connection;
        Self::prove_within(stream, credential, nonce, seen, patience)
    }

    /// Makes one call that the daemon may answer only after `wait`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn call_waiting<M: Method>(
        &mut self,
        request: &M,
        wait: Duration,
    ) -> Result<M::Reply, ClientError> {
        let patience = self.patience;
        // Whoever waits is in no hurry, however the connection was made.
        self.set_patience(wait.saturating_add(PATIENCE))?;
        let reply = self.call(request);
        self.set_patience(patience)?;
        reply
    }

    /// What ends a call that another thread waits in.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn breaker(&self) -> io::Result<Breaker> {
        self.stream.try_clone().map(Breaker)
    }

    fn set_patience(&mut self, patience: Duration) -> Result<(), ClientError> {
        self.patience = patience;
        Ok(self.stream.set_read_timeout(Some(patience))?)
    }
}

/// Ends a connection from another thread: whoever waits on it hears that it is closed, and the
/// daemon gives up waiting too.
#[derive(Debug)]
pub struct Breaker(UnixStream);

impl Breaker {
    /// Says that nothing more will come: the daemon gives up waiting and closes, and what it had
    /// answered by then is still read. One that has ended already is no fault.
    pub fn finish(&self) {
        drop(self.0.shutdown(Shutdown::Write));
    }

    /// Ends the connection. One that has ended already is no fault.
    pub fn hang_up(&self) {
        drop(self.0.shutdown(Shutdown::Both));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long an answer takes, and nothing else"
)]
fn now() -> Instant {
    Instant::now()
}

/// Why the stream has ended: the other side closed it, unless writing failed for another reason.
fn closed(written: io::Result<()>) -> ClientError {
    let by_peer = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
    match written {
        Err(error) if !by_peer.contains(&error.kind()) => error.into(),
        Ok(()) | Err(_) => ClientError::Closed,
    }
}
