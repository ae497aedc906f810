//! What hosts say to hooks. The program is no library: its parser is compiled in from where it lies.
#![no_main]
#![expect(dead_code, reason = "the program uses more of it")]

#[path = "../../cli/src/clock.rs"]
mod clock;
#[path = "../../cli/src/commands/hook/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::fuzzing::hook(bytes));
