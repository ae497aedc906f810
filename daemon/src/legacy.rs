//! The old port: the wire of the Python predecessor, for scripts and servers that still speak it.
//!
//! Off unless `[legacy] tcp` in `config.toml` asks for it, on loopback only. One connection is one
//! request: a JSON object in, a JSON object out. Each is turned into the native request that it
//! stands for (`requests.rs`, `check.rs`), so that every rule of those holds: the subject is
//! the token's agent, names, limits, leases, quotas.
//!
//! What always holds: nothing is served before the shared secret has been compared with what the
//! deployment was made with; the secret lies on a locked page; a connection that is not this
//! user's own is closed unread; mail counts as delivered only once its reply has been written.
//! What cannot hold, and is said in SECURITY.md: old clients cannot tell who listens at the port.

mod check;
mod connection;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod listener;
mod local_time;
mod native;
mod owner;
mod reading;
mod registration;
mod requests;
mod secret;
mod session;
mod token;
mod usage;
mod wire;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use ipc_protocol::request::{OldPortReport, OldPortTrouble};
use ipc_protocol::secret::SharedSecret;
use jiff::tz::TimeZone;
use tokio::sync::{Semaphore, watch};

use crate::config::LoopbackAddress;
use crate::gate::Gate;
use crate::limits::OLD_PORT_CONNECTIONS;
pub(crate) use listener::serve;
use local_time::LocalTime;
use secret::LockedSecret;
use usage::Usage;

/// How the old port is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// The configuration asks for none.
    Off,
    /// It is served once the secret has been compared.
    Starting(SocketAddr),
    /// It is served, under the secret of this id.
    Open(SocketAddr, Arc<str>),
    /// It is not served.
    Closed(OldPortTrouble),
}

/// The old port, as the daemon keeps it.
#[derive(Debug)]
pub(crate) struct OldPort {
    state: watch::Sender<State>,
    secret: Option<LockedSecret>,
    /// Places for its connections, apart from the native ones.
    places: Arc<Semaphore>,
    usage: Usage,
    local_time: LocalTime,
}

/// The old port's socket, or why it cannot be had: bound before the daemon shuts itself in.
#[derive(Debug)]
pub(crate) struct OldSocket {
    bound: io::Result<(TcpListener, SocketAddr)>,
}

impl OldSocket {
    /// Binds the port at `address`. Nobody is served before the secret has been compared.
    pub(crate) fn bind(address: LoopbackAddress) -> Self {
        let bound = TcpListener::bind(address.get()).and_then(|socket| {
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        });
        if let Err(error) = &bound {
            tracing::warn!(%error, address = %address.get(), "the old port could not be bound");
        }
        Self { bound }
    }
}

impl OldPort {
    /// Takes the port over if one is `wanted`, and locks a page for the secret. Whatever is in the
    /// way keeps the port closed and nothing else.
    pub(crate) fn prepare(
        wanted: Option<OldSocket>,
        secret: Option<&SharedSecret>,
        zone: TimeZone,
    ) -> (Self, Option<TcpListener>) {
        let (state, secret, socket) = match wanted.map(|socket| acquire(socket, secret)) {
            None => (State::Off, None, None),
            Some(Ok((socket, address, secret))) => {
                (State::Starting(address), Some(secret), Some(socket))
            }
            Some(Err(trouble)) => {
                tracing::warn!(?trouble, "the old port is closed");
                (State::Closed(trouble), None, None)
            }
        };
        let port = Self {
            state: watch::Sender::new(state),
            secret,
            places: Arc::new(Semaphore::new(OLD_PORT_CONNECTIONS)),
            usage: Usage::default(),
            local_time: LocalTime::new(zone),
        };
        (port, socket)
    }

    /// The secret has been compared: it is the one called `kid`.
    pub(crate) fn open(&self, kid: &str) {
        self.state.send_if_modified(|state| {
            let State::Starting(address) = *state else {
                return false;
            };
            tracing::warn!(
                %address,
                "the old port is open: its clients cannot tell who listens there, its tokens cross \
                 in the clear, and its messages carry no provenance; take `[legacy]` out of \
                 config.toml once `ipc status` shows no use of it"
            );
            *state = State::Open(address, kid.into());
            true
        });
    }

    /// The secret is not one that the port can be served under.
    pub(crate) fn close(&self, trouble: OldPortTrouble) {
        self.state.send_if_modified(|state| {
            let is_starting = matches!(state, State::Starting(_));
            if is_starting {
                tracing::warn!(?trouble, "the old port is closed");
                *state = State::Closed(trouble);
            }
            is_starting
        });
    }

    /// Which secret it registers under; nothing while it is not served.
    fn kid(&self) -> Option<Arc<str>> {
        match &*self.state.borrow() {
            State::Open(_, kid) => Some(Arc::clone(kid)),
            State::Off | State::Starting(_) | State::Closed(_) => None,
        }
    }

    /// How it is; nothing where the configuration asks for none.
    pub(crate) fn report(&self, gate: &Gate) -> Option<OldPortReport> {
        let (address, trouble) = match &*self.state.borrow() {
            State::Off => return None,
            State::Starting(address) => (Some(*address), Some(OldPortTrouble::Starting)),
            State::Open(address, kid) => {
                let is_current = gate.verifiers().iter().any(|known| *known.kid == **kid);
                (
                    Some(*address),
                    (!is_current).then_some(OldPortTrouble::Rotated),
                )
            }
            State::Closed(trouble) => (None, Some(*trouble)),
        };
        Some(self.usage.report(address, trouble))
    }
}

/// What the port is served with.
type Acquired = (TcpListener, SocketAddr, LockedSecret);

/// Takes hold of everything that the port needs, or says what is in the way.
fn acquire(wanted: OldSocket, secret: Option<&SharedSecret>) -> Result<Acquired, OldPortTrouble> {
    if !owner::IS_TOLD {
        return Err(OldPortTrouble::Unsupported);
    }
    let secret = secret.ok_or(OldPortTrouble::NoSecret)?;
    let secret = LockedSecret::new(secret).map_err(|error| {
        tracing::warn!(%error, "no memory could be locked for the secret");
        OldPortTrouble::MemoryNotLocked
    })?;
    let (socket, address) = wanted.bound.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            OldPortTrouble::AddressInUse
        } else {
            OldPortTrouble::NotBound
        }
    })?;
    Ok((socket, address, secret))
}
