//! Text of peers for models.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_mcp::fuzzing::fence(bytes));
