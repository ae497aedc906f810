//! What requests do: one file, one plain function for each.
//!
//! An action gets the request, the caller and the [`Context`] (or, if it only looks, the
//! [`View`]), and comes to a reply or a refusal. It runs inside a savepoint: whatever it did is
//! undone if it refuses. It knows no sockets and no clock but the moment it is given.
//!
//! [`Context`]: crate::store::context::Context
//! [`View`]: crate::store::context::View

pub(crate) mod ack;
pub(crate) mod admin;
pub(crate) mod auto_check;
pub(crate) mod awaited;
pub(crate) mod boundaries;
pub(crate) mod conversation;
pub(crate) mod dead_letters;
pub(crate) mod describe;
mod destinations;
pub(crate) mod fetch;
pub(crate) mod forward;
pub(crate) mod freeze;
pub(crate) mod history;
mod kinds;
pub(crate) mod leave;
pub(crate) mod list;
mod loops;
pub(crate) mod notice;
pub(crate) mod notices;
mod once;
mod outgoing;
mod parent;
pub(crate) mod read;
pub(crate) mod readers;
pub(crate) mod receipts;
pub(crate) mod register;
pub(crate) mod rename;
pub(crate) mod reply;
mod room;
pub(crate) mod send;
mod sender;
pub(crate) mod session;
pub(crate) mod status;
mod storing;
mod talk;
pub(crate) mod whoami;

#[cfg(test)]
mod group_model;
#[cfg(test)]
pub(crate) mod harness;
#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the small numbers of a test"
)]
mod model;
