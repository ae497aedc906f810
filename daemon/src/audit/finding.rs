//! What a check of the log comes to.

use std::path::PathBuf;

use serde::Serialize;

use super::files::LogError;

/// What is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// A line that is not as it was sealed.
    #[error("record {sequence} is not as it was sealed: {}, line {line}", file.display())]
    Changed {
        /// Its number.
        sequence: u64,
        /// The file.
        file: PathBuf,
        /// The line in it, from 1.
        line: u64,
    },
    /// A line in the place of another.
    #[error("record {found} stands where {expected} should: {}, line {line}", file.display())]
    OutOfOrder {
        /// The number that should follow.
        expected: u64,
        /// The number that is there.
        found: u64,
        /// The file.
        file: PathBuf,
        /// The line in it, from 1.
        line: u64,
    },
    /// A line that is no record.
    #[error("no record where {sequence} should be: {}, line {line}", file.display())]
    Unreadable {
        /// The number that should follow.
        sequence: u64,
        /// The file.
        file: PathBuf,
        /// The line in it, from 1.
        line: u64,
    },
    /// Records are gone, and no file was due to go.
    #[error("records {from} to {to} are missing")]
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The end is gone.
    #[error("the log ends with record {last}, and {sealed} had been sealed")]
    Truncated {
        /// The last record.
        last: u64,
        /// The last that the state covers.
        sealed: u64,
    },
    /// The state's key is not the one that follows from the lines.
    #[error("the state of the log was not made by the daemon that wrote record {sequence}")]
    ForeignState {
        /// The last record that the state covers.
        sequence: u64,
    },
    /// The state is damaged or gone.
    #[error("the state of the log is damaged or gone; its end cannot be vouched for")]
    NoState,
    /// The log ends before an anchor.
    #[error("an anchor knows record {anchor}, and the log ends with {last}")]
    BeforeAnchor {
        /// The number of the anchor's line.
        anchor: u64,
        /// The last record.
        last: u64,
    },
    /// No anchor is of a record that is kept: nothing ties the log to what was known of it.
    #[error("no anchor is of a record that is still kept: the first is {first}")]
    NoAnchorKept {
        /// The first record that is kept.
        first: u64,
    },
    /// A line is another than the anchor's.
    #[error("record {sequence} is another than the one that the anchor was taken of")]
    OtherThanAnchor {
        /// The number of the line.
        sequence: u64,
    },
    /// The chain began anew after a log that was gone or did not fit its state.
    #[error(
        "the log began anew with record {sequence}: a former one was gone, or did not fit and was moved aside"
    )]
    BegunAnew {
        /// The record that says so.
        sequence: u64,
    },
}

/// What a check came to.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The first record that is kept.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// The first record that the key checks; earlier ones are only counted.
    pub checked_from: u64,
    /// Records at the end that the state does not cover: a daemon is writing them, or was killed there.
    pub unsealed: u64,
    /// Bytes at the end of a write that is under way or was cut off.
    pub torn_bytes: u64,
    /// Anchors that agree.
    pub anchors: u64,
    /// Anchors of records that are not kept any more.
    pub anchors_passed: u64,
    /// What is wrong: the first thing in the lines, and what else is.
    pub findings: Vec<Finding>,
}

/// Why the log cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Files cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is none.
    #[error("there is no audit log in {0}")]
    NoLog(PathBuf),
    /// The key was taken away.
    #[error("the key that the log is checked with was taken away from {0}")]
    NoKey(PathBuf),
    /// The key is for a later line than all that are kept.
    #[error("the key is for record {0} and later, and there are none")]
    LaterKey(u64),
}
