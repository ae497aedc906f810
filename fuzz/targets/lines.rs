//! Lines of the host of the MCP server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_mcp::fuzzing::lines(bytes));
