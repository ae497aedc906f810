//! Names, ids and other short words.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_protocol::fuzzing::names(bytes));
