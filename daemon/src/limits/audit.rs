//! Bounds of the audit log.

use std::time::Duration;

/// Records that wait for the audit log; more are counted and lost, so that nobody waits for its disk.
pub(crate) const AUDIT_QUEUE: usize = 4_096;

/// Records that are written and flushed together.
pub(crate) const AUDIT_GROUP: usize = 512;

/// How long the audit log rests after a flush, which the store's flushes would have to wait for.
pub(crate) const AUDIT_REST: Duration = Duration::from_millis(500);

/// How often it is looked whether a minute is over.
pub(crate) const AUDIT_LOOK: Duration = Duration::from_secs(10);

/// A file of the audit log ends above this, in bytes: it is read as a whole.
pub(crate) const AUDIT_FILE_BYTES: u64 = 8 * 1_024 * 1_024;

/// Files of the audit log that are kept: with the last one at most 72 MiB.
pub(crate) const AUDIT_FILES: usize = 8;

/// Refusals in one minute that are told one by one: other kinds, or of other callers, are counted.
pub(crate) const AUDIT_DENIALS: usize = 64;

/// Lines of the audit log for refusals, and for what agents without a budget of their own do by the way,
/// at once: as many as a large crowd that comes together.
pub(crate) const AUDIT_BURST: u32 = 600;

/// The same for refusals in a minute, all day long: half a day's flood leaves room for what came
/// before.
pub(crate) const AUDIT_DENIALS_PER_MINUTE: u32 = 30;

/// The same for what agents without a budget of their own do by the way.
pub(crate) const AUDIT_PER_MINUTE: u32 = 60;

/// Agents with a budget of their own at once; others share one. As many floods at once leave most of a
/// working day for what came before.
pub(crate) const AUDIT_AGENTS: usize = 64;

/// Lines for what one agent does by the way, at once: more than any does that is not out of hand.
pub(crate) const AUDIT_AGENT_BURST: u32 = 60;

/// The same in a minute, all day long.
pub(crate) const AUDIT_AGENT_PER_MINUTE: u32 = 10;

/// Lines for the rules that one agent makes about others, at once: they cost it nothing.
pub(crate) const AUDIT_RULES_BURST: u32 = 20;

/// The same in a minute, all day long.
pub(crate) const AUDIT_RULES_PER_MINUTE: u32 = 2;

/// Keys that a check steps over to reach the first line that is kept, one hash each: centuries of what
/// agents do at the most, and minutes for a number that somebody made up.
pub(crate) const AUDIT_STEPS: u64 = 1 << 30;
