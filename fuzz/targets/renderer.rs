//! Text of peers for terminals.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_protocol::fuzzing::renderer(bytes));
