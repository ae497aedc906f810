//! Every bound of this crate, with its reason.

use std::time::Duration;

/// Longest line that a host may send, in bytes: a text of 1 MiB with every byte escaped, and room.
pub(crate) const LINE_BYTES: usize = 8 * 1_024 * 1_024;

/// Longest wait of one tool call, in seconds: under the shortest limit of a known host (300 s).
pub(crate) const WAIT_S: u32 = 240;

/// Messages that one `ipc_check` gives, at most: what a model reads at once.
pub(crate) const CHECK_MESSAGES: u32 = 20;

/// A server that nobody has used for so long enrols by itself, so that mail finds a name; a host
/// that only lists its servers is gone by then.
pub(crate) const ENROL_AFTER: Duration = Duration::from_secs(10);

/// Connections that are kept open between calls: more than a host calls at once.
pub(crate) const IDLE_CONNECTIONS: usize = 4;

/// Calls that run at once; further ones wait their turn. Each holds a thread.
pub(crate) const CALLS: usize = 16;

/// Calls that have not been answered, running or not: more than a host makes at once.
pub(crate) const QUEUED: usize = 64;

/// Calls of these that may wait for mail: so that others always get their turn.
pub(crate) const WAITS: usize = 6;

/// Subscriptions of one host: there is one thing to subscribe to.
pub(crate) const LISTENS: usize = 4;

/// How long after its response was flushed a call may still be cancelled: hosts ignore answers to
/// calls that they gave up, and mail in one was not seen. The host's next request ends it early.
pub(crate) const SECOND_THOUGHTS: Duration = Duration::from_secs(1);

/// Notes about the connection that wait to be told with the next result.
pub(crate) const NOTES: usize = 4;

/// How often one call may find the daemon gone before that is said.
pub(crate) const ATTEMPTS: u32 = 4;

/// Names that one completion offers, set by the protocol.
pub(crate) const COMPLETIONS: usize = 100;

/// How long Codex may take to queue a message, and how often it is looked whether it has.
pub(crate) const QUEUEING: (Duration, Duration) =
    (Duration::from_secs(30), Duration::from_millis(20));

/// How long a daemon may take to close a connection on which a wait was given up.
pub(crate) const PARTING: Duration = Duration::from_secs(1);

/// Between two looks at a daemon that is gone, when only waiting for mail.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Between two looks whether another daemon runs after one that stopped: a restart takes less.
pub(crate) const RESTART: Duration = Duration::from_secs(1);

/// Text in one page of `ipc_read`, in bytes as shown: what fits into a model's view beside the rest.
pub(crate) const PAGE_BYTES: usize = 16 * 1_024;

/// Recipients of one message of the past that are told of, the first ones.
pub(crate) const PAST_RECIPIENTS: usize = 8;

/// Text and data in one `ipc_check`, in bytes as shown: hosts cut results, and what they cut off
/// would count as delivered. What is over it goes back and comes with the next call.
pub(crate) const CHECK_BYTES: usize = 16 * 1_024;

/// Largest data that is shown, in bytes of JSON; more is for programs.
pub(crate) const DATA_BYTES: usize = 4 * 1_024;

/// What a shared file is said to be, in bytes: a sentence, and room.
pub(crate) const DESCRIPTION_BYTES: usize = 1_024;

/// How long answers may still take to be written when the host has closed its end: it may read them,
/// and must not hold us if it does not.
pub(crate) const LEAVING: Duration = Duration::from_secs(5);
