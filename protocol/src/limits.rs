//! Bounds that are part of the protocol: both sides hold them, and no configuration moves them.
//!
//! What an operator may tune lives in the daemon's `limits.rs` instead.

/// Protocol version spoken in `hello`.
pub const PROTOCOL_VERSION: u32 = 1;

/// Largest frame before authentication, in bytes: a stranger cannot make us hold more.
pub const FRAME_BEFORE_AUTH: u32 = 4_096;

/// Largest frame after authentication, in bytes: a 1 MiB body and its JSON escapes.
pub const FRAME_AFTER_AUTH: u32 = 2 * 1_024 * 1_024;

/// Deepest nesting of arrays and objects in a call: more serves only stack exhaustion.
pub const JSON_DEPTH: usize = 16;

/// The same in data attached to a message, which lies two levels deep in its call.
pub const DATA_DEPTH: usize = 14;

/// The same in a reply: what was sent inside a call comes back deeper inside a list of messages,
/// and a message that its reader's client refuses would stop all mail behind it.
pub const REPLY_DEPTH: usize = 24;

/// Largest message body, in bytes of decoded UTF-8, attached data included.
pub const BODY_BYTES: usize = 1_048_576;

/// Bytes of text that a fetch shows of a larger body.
pub const PREVIEW_BYTES: usize = 10_240;

/// Longest name, in characters; a name is ASCII, so also in bytes.
pub const NAME_CHARS: usize = 32;

/// Longest title of a group, in bytes: a line of a list.
pub const TITLE_BYTES: usize = 128;

/// Members that a row of a list of conversations names: enough to know it by.
pub const LISTED_MEMBERS: usize = 5;

/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;

/// Longest hint of a host program's name, in bytes.
pub const PROGRAM_BYTES: usize = 32;

/// Longest status of an agent, in bytes: what fits a line beside its name.
pub const STATUS_BYTES: usize = 120;

/// Longest summary of what an agent works on, in bytes: a sentence or three.
pub const SUMMARY_BYTES: usize = 512;

/// Longest capability, in characters; a capability is ASCII, so also in bytes.
pub const CAPABILITY_CHARS: usize = 32;

/// Capabilities of one agent: more describe nothing.
pub const CAPABILITIES: usize = 16;

/// Messages in one fetch reply, at most.
pub const FETCH_MESSAGES: u32 = 100;

/// Messages in one fetch reply when the reader names no number.
pub const FETCH_DEFAULT: u32 = 20;

/// Message ids in one `ack` or `nack`, at most.
pub const ACK_IDS: usize = 100;

/// Text in one `read` reply, in bytes: with every byte escaped it still fits a frame.
pub const READ_BYTES: u32 = 131_072;

/// Text of each message that a page of history shows, in bytes: enough to know it again by.
pub const HISTORY_PREVIEW_BYTES: usize = 2_048;

/// Longest search, in bytes: a sentence or two.
pub const SEARCH_BYTES: usize = 256;

/// Words and phrases in one search: each is looked up by itself.
pub const SEARCH_TERMS: usize = 16;

/// Beginnings of words in one search: each stands for all the words that begin so.
pub const SEARCH_PREFIXES: usize = 3;

/// Shortest beginning of a word that can be searched for, in characters: a shorter one is every
/// message.
pub const SEARCH_PREFIX_CHARS: usize = 2;

/// Rows in one reply that lists things.
pub const LIST_ROWS: u32 = 500;

/// Longest wait in one request, in milliseconds: one hour.
pub const WAIT_MS: u32 = 3_600_000;

/// Senders that one notice of waiting mail names: enough to see who, and short to read.
pub const NOTICE_SENDERS: usize = 5;

/// How often an agent may be reminded of waiting mail, in minutes: an agent reads slower than every
/// minute, and after an hour a reminder is none.
pub const AUTO_CHECK_MINUTES: std::ops::RangeInclusive<u32> = 1..=60;

/// The same when nobody says: what people who wait for an answer put up with.
pub const AUTO_CHECK_DEFAULT: u32 = 5;

/// How long a ping can be answered, in milliseconds: whoever is there answers within moments, and
/// later it would say nothing of now. What nobody answered is dropped.
pub const PING_MS: i64 = 60_000;

/// Pings that one front-end answers in a minute: its answers are messages of its agent, whose rate is
/// for mail.
pub const PINGS_PER_MINUTE: u32 = 20;

/// How long one front-end holds a fetched message before it is offered again, in milliseconds.
pub const LEASE_MS: i64 = 60_000;

/// Shared secret, in bytes: shortest accepted, shortest that passes without a warning, longest.
pub const SECRET_BYTES: (usize, usize, usize) = (8, 16, 1_024);
