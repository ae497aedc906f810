//! Whether the clock stands behind what was written by it.

use std::os::unix::fs::MetadataExt;

use super::Installation;
use super::finding::{Finding, as_root};
use crate::clock;

/// How far ahead of the clock a file may be, in seconds: zones and leaps are less.
const ALLOWED_SECONDS: i64 = 24 * 60 * 60;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let now = clock::now().as_millis().checked_div(1_000).unwrap_or(0);
    let store = installation.root.join("messages.db");
    let Ok(facts) = std::fs::metadata(store) else {
        return Vec::new();
    };
    if facts.mtime() <= now.saturating_add(ALLOWED_SECONDS) {
        return Vec::new();
    }
    let what = "the clock is more than a day behind the time at which the store was last written";
    let fix = format!("{}timedatectl set-ntp true", as_root());
    vec![Finding::note("clock", what).fix(fix)]
}
