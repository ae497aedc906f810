//! Replies, as a client reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_protocol::fuzzing::reply(bytes));
