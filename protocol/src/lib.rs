//! The words of `claude-ipc/1` and the one client that speaks them.
//!
//! Bytes become a request in this order, and a request becomes bytes in the reverse order:
//! [`frame`] cuts the stream, [`json`] refuses what JSON merely tolerates, [`rpc`] opens the
//! envelope, [`request`] names the request and parses its fields into the types of [`name`],
//! [`id`], [`message`], [`conversation`], [`profile`] and [`time`]. [`auth`] is the arithmetic of the mutual proof, for both
//! sides. [`client`] puts it together for whoever talks to the daemon, and [`safe`] shows what
//! came from a peer.
//!
//! What always holds: a value of a type from here has been checked, once, where it was parsed;
//! nothing here asks what time it is, draws randomness or looks at the environment (the caller passes
//! them in); no type that holds a secret can be printed, copied or compared with `==`.
//!
//! Deliberately elsewhere: what a request does (`daemon/src/actions/`), and how it is said to
//! people (`cli/src/output/`).

pub mod auth;
pub mod client;
pub mod conversation;
pub mod error;
pub mod frame;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod id;
pub mod json;
pub mod leak;
pub mod limits;
pub mod message;
pub mod moment;
pub mod name;
pub mod paths;
pub mod private;
pub mod process;
pub mod profile;
pub mod request;
pub mod rpc;
pub mod safe;
pub mod search;
pub mod secret;
pub mod time;
pub mod token;
