//! Both halves of the handshake, with somebody in between.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_protocol::fuzzing::handshake(bytes));
