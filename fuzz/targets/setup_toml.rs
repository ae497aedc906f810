//! Settings of hosts in TOML. The program is no library: its parser is compiled in from where it lies.
#![no_main]
#![expect(dead_code, reason = "the program uses more of it")]

#[path = "../../cli/src/setup"]
mod setup {
    mod document;
    pub(crate) mod entry;
    pub(crate) mod fuzzing;
    mod json;
    pub(crate) mod text;
    mod toml;
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| setup::fuzzing::setup_toml(bytes));
