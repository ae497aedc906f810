//! How many random cases a property is tried with.
//!
//! A plain `cargo test` tries the same ones every time: `.cargo/config.toml` sets their seed.

use proptest::prelude::ProptestConfig;

use crate::scheduler::{LONG, variable};

/// So many cases, or [`LONG`] times as many with `IPC_TEST_SCALE=long`.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let times = match variable("IPC_TEST_SCALE") {
        Some(scale) if scale == "long" => u32::try_from(LONG).unwrap(),
        _ => 1,
    };
    ProptestConfig {
        cases: usual.saturating_mul(times),
        // A failure says its case; it becomes a test by hand.
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
