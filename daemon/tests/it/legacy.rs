//! The old port, driven as the predecessor's clients drive it.

mod actions;
pub(crate) mod client;
mod mail;
mod names;
mod port;
mod reading;
mod refusals;
