//! The protocol as others see it: the golden files of the wire, and a client that meets a server
//! which is not what it seems.

#[cfg(test)]
mod client;
#[cfg(test)]
mod false_server;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod secrecy;
