//! Phrases of `ipc do`. The program is no library: its parser is compiled in from where it lies.
#![no_main]
#![expect(dead_code, reason = "the program uses more of it")]

#[path = "../../cli/src"]
mod program {
    pub(crate) mod phrases;
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| program::phrases::fuzzing::phrases(bytes));
