//! What an operator may tune: `[limits]` in `config.toml`, these keys, these defaults.
//!
//! Bounds that belong to the protocol are in `ipc_protocol::limits`; bounds of the machinery stand
//! at the end of this file.

mod audit;
mod old_port;

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

pub(crate) use audit::{
    AUDIT_AGENT_BURST, AUDIT_AGENT_PER_MINUTE, AUDIT_AGENTS, AUDIT_BURST, AUDIT_DENIALS,
    AUDIT_DENIALS_PER_MINUTE, AUDIT_FILE_BYTES, AUDIT_FILES, AUDIT_GROUP, AUDIT_LOOK,
    AUDIT_PER_MINUTE, AUDIT_QUEUE, AUDIT_REST, AUDIT_RULES_BURST, AUDIT_RULES_PER_MINUTE,
    AUDIT_STEPS,
};
pub(crate) use old_port::{
    OLD_PORT_CONNECTIONS, OLD_PORT_DEADLINE, OLD_PORT_FAREWELL, OLD_PORT_MESSAGE, OLD_PORT_PIECES,
    OLD_PORT_REPLY, OLD_PORT_REQUEST,
};

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// The limits in force.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Messages that one agent may send in a minute.
    pub send_per_minute: NonZeroU32,
    /// Of these, at once.
    pub send_burst: NonZeroU32,
    /// Requests that read, of one agent in a minute; one that waits counts once.
    pub fetch_per_minute: NonZeroU32,
    /// Broadcasts of one agent in a minute.
    pub broadcast_per_minute: NonZeroU32,
    /// Agents that a broadcast may reach; more, and it is refused whole.
    pub broadcast_recipients: u32,
    /// Seconds between two renames of one agent.
    pub rename_cooldown_s: u32,
    /// Wrong proofs of one process in a minute.
    pub failed_auth_per_minute: NonZeroU32,
    /// Wrong proofs of the shared secret in a minute, of all processes together.
    pub failed_auth_per_minute_total: NonZeroU32,
    /// Enrolments in a minute, of all processes together.
    pub enrolments_per_minute: NonZeroU32,
    /// Messages that may wait in one mailbox.
    pub mailbox_unread: u32,
    /// Of these, from one sender.
    pub mailbox_unread_per_sender: u32,
    /// Names nobody has for which one sender may leave mail at a time.
    pub unclaimed_names_per_sender: u32,
    /// How often a message may be passed on to a third agent.
    pub hops: u32,
    /// Replies between two agents in ten minutes, both ways together.
    pub pair_answers_per_10_minutes: u32,
    /// Replies of one agent into one group in ten minutes.
    pub group_answers_per_10_minutes: u32,
    /// Agents in one group.
    pub group_members: u32,
    /// Groups that one agent is in.
    pub groups_per_agent: u32,
    /// Groups that one agent makes, adds to or leaves in a minute.
    pub group_changes_per_minute: NonZeroU32,
    /// Largest body, in bytes, attached data included; at most 1,048,576.
    pub body_bytes: u32,
    /// Text that a fetch shows of a larger body, in bytes; at most 10,240.
    pub preview_bytes: u32,
    /// Longest wait in one request, in seconds; at most 3,600.
    pub wait_s: u32,
    /// Open connections; more wait in the kernel's backlog.
    pub connections: u32,
    /// Of these, not yet authenticated.
    pub unauthenticated: u32,
    /// Bytes of requests that all connections together may hold; at least 2 MiB.
    pub inbound_bytes: u32,
    /// Days that mail for a name nobody has is kept.
    pub unclaimed_days: u32,
    /// Days that delivered mail is kept.
    pub read_days: u32,
    /// Days that the name of an offline agent is held for it.
    pub offline_name_days: u32,
    /// Minutes without a connection after which an autostarted daemon leaves.
    pub idle_exit_minutes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            send_per_minute: at_least_one(100),
            send_burst: at_least_one(20),
            fetch_per_minute: at_least_one(600),
            broadcast_per_minute: at_least_one(5),
            broadcast_recipients: 64,
            rename_cooldown_s: 3_600,
            failed_auth_per_minute: at_least_one(10),
            failed_auth_per_minute_total: at_least_one(120),
            enrolments_per_minute: at_least_one(600),
            mailbox_unread: 1_000,
            mailbox_unread_per_sender: 200,
            unclaimed_names_per_sender: 10,
            hops: 8,
            pair_answers_per_10_minutes: 200,
            group_answers_per_10_minutes: 100,
            group_members: 64,
            groups_per_agent: 64,
            group_changes_per_minute: at_least_one(20),
            body_bytes: 1_048_576,
            preview_bytes: 10_240,
            wait_s: 3_600,
            connections: 512,
            unauthenticated: 16,
            inbound_bytes: 33_554_432,
            unclaimed_days: 7,
            read_days: 30,
            offline_name_days: 7,
            idle_exit_minutes: 30,
        }
    }
}

impl Limits {
    /// The first value outside what the protocol can carry: the key, and what it allows.
    #[expect(clippy::too_many_lines, reason = "one line for each key")]
    pub fn out_of_range(&self) -> Option<(&'static str, &'static str)> {
        let rates = [
            ("send_per_minute", self.send_per_minute),
            ("send_burst", self.send_burst),
            ("fetch_per_minute", self.fetch_per_minute),
            ("broadcast_per_minute", self.broadcast_per_minute),
            ("failed_auth_per_minute", self.failed_auth_per_minute),
            (
                "failed_auth_per_minute_total",
                self.failed_auth_per_minute_total,
            ),
            ("enrolments_per_minute", self.enrolments_per_minute),
            ("group_changes_per_minute", self.group_changes_per_minute),
        ];
        // The arithmetic of rates counts nanoseconds in 64 bits.
        if let Some((key, _)) = rates.into_iter().find(|(_, rate)| rate.get() > 10_000_000) {
            return Some((key, "1 to 10000000"));
        }
        [
            (
                (1..=1_048_576).contains(&self.body_bytes),
                "body_bytes",
                "1 to 1048576",
            ),
            (
                (1..=10_240).contains(&self.preview_bytes),
                "preview_bytes",
                "1 to 10240",
            ),
            (self.wait_s <= 3_600, "wait_s", "0 to 3600"),
            (
                (1..=4_096).contains(&self.connections),
                "connections",
                "1 to 4096",
            ),
            (
                (1..=self.connections).contains(&self.unauthenticated),
                "unauthenticated",
                "1 to `connections`",
            ),
            (
                (2_097_152..=1_073_741_824).contains(&self.inbound_bytes),
                "inbound_bytes",
                "2097152 to 1073741824",
            ),
            (
                self.broadcast_recipients <= 4_096,
                "broadcast_recipients",
                "0 to 4096",
            ),
            (
                (2..=64).contains(&self.group_members),
                "group_members",
                "2 to 64",
            ),
            (self.groups_per_agent <= 256, "groups_per_agent", "0 to 256"),
            (
                self.mailbox_unread <= 100_000,
                "mailbox_unread",
                "0 to 100000",
            ),
            (
                (1..=3_650).contains(&self.unclaimed_days),
                "unclaimed_days",
                "1 to 3650",
            ),
            (
                (1..=3_650).contains(&self.read_days),
                "read_days",
                "1 to 3650",
            ),
            (
                (1..=3_650).contains(&self.offline_name_days),
                "offline_name_days",
                "1 to 3650",
            ),
            (
                (1..=10_080).contains(&self.idle_exit_minutes),
                "idle_exit_minutes",
                "1 to 10080",
            ),
        ]
        .into_iter()
        .find_map(|(fits, key, range)| (!fits).then_some((key, range)))
    }
}

/// A day, in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A minute, in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// When newer mail has come, an agent that was told of mail and did not fetch is told again after
/// this time, in milliseconds: the front-end that was to tell it may have ended before it did.
pub(crate) const LOST_NOTICE_MS: i64 = 300_000;

/// Pings that nobody answered, dropped at most whenever another is sent: more than one sender may
/// leave in a mailbox.
pub(crate) const PINGS_DROPPED: u32 = 200;

/// How long an old name forwards, in milliseconds: two hours.
pub(crate) const ALIAS_MS: i64 = 7_200_000;

/// How long a session lasts at most, in milliseconds: 24 hours.
pub(crate) const SESSION_ABSOLUTE_MS: i64 = 86_400_000;

/// How long a session lasts unused, in milliseconds: 12 hours.
pub(crate) const SESSION_IDLE_MS: i64 = 43_200_000;

/// How long the old token is good after `renew`, in milliseconds.
pub(crate) const RENEW_GRACE_MS: i64 = 60_000;

/// How far the wall clock may have been set back before sessions count as expired, in
/// milliseconds: five minutes covers every correction that is not a lie.
pub(crate) const CLOCK_TOLERANCE_MS: i64 = 300_000;

/// Rules about others that one agent has: more is what the allow-list mode is for.
pub(crate) const RULES_PER_AGENT: u32 = 256;

/// Sessions of one agent: a host's window, its hooks and some terminals, many times over.
pub(crate) const SESSIONS_PER_AGENT: usize = 16;

/// Agents seen within this time get broadcasts and news of renames, in milliseconds.
pub(crate) const RECENT_MS: i64 = DAY_MS;

/// An agent is online when it was seen within this time, in milliseconds: 15 minutes.
pub(crate) const ONLINE_MS: i64 = 900_000;

/// Ended sessions that are remembered for a connection that was on its way: more than the writer
/// commits at once.
pub(crate) const ENDED_SESSIONS: usize = 512;

/// Connections of one agent: so that no agent holds the places of all.
pub(crate) const CONNECTIONS_PER_AGENT: u32 = 64;

/// Descriptors of the process: every connection, the old port's, watched hosts and the store's, many
/// times over; as in the unit.
pub(crate) const DESCRIPTORS: u64 = 4_096;

/// Host processes that are watched at a time: each takes a descriptor, beside the connections'.
pub(crate) const HOSTS_WATCHED: usize = 128;

/// Shortest time between two words to the service manager that the daemon is at work: each is a
/// transaction.
pub(crate) const SHORTEST_BEAT: Duration = Duration::from_millis(50);

/// Bytes of large requests that one agent may have on their way at a time: a quarter of the
/// default of `inbound_bytes`, so that no agent holds it all.
pub(crate) const INBOUND_PER_AGENT: usize = 8_388_608;

/// Replies that may be large and have not been taken yet, of one agent: each is under 2 MiB.
pub(crate) const BULKY_PER_AGENT: usize = 8;

/// Requests of one connection that wait at a time; more are refused, so that the connection is
/// always read and its end always noticed.
pub(crate) const WAITS: usize = 8;

/// A frame over this many bytes can only be a send: it is charged as one before it is decoded.
pub(crate) const LARGE_FRAME: usize = 65_536;

/// Searches in a minute, of each agent: one may take a second, and they wait for one another.
pub(crate) const SEARCHES_PER_MINUTE: NonZeroU32 = at_least_one(60);

/// Renames in a minute, of all agents together: each is told to everybody.
pub(crate) const RENAMES_PER_MINUTE: NonZeroU32 = at_least_one(60);

/// Changes of groups in a minute, of all agents together: each is told to all its members.
pub(crate) const GROUP_CHANGES_PER_MINUTE: NonZeroU32 = at_least_one(120);

/// Somebody who has proved a credential must say something within this time, until registered.
pub(crate) const NEWCOMER_IDLE: Duration = Duration::from_mins(1);

/// Jobs that wait for the writer, and for the reader: above it callers wait for room.
pub(crate) const QUEUE: usize = 1_024;

/// Jobs in one transaction: bounds how long the first of them waits for its commit.
pub(crate) const BATCH: usize = 256;

/// Deferred takes that are done in one transaction, beside its jobs: whoever sends waits for them.
pub(crate) const DEFERRED_JOBS: usize = 16;

/// Requests of one connection that are being answered at a time: also how many replies can pile
/// up for a peer that does not read.
pub(crate) const IN_FLIGHT: usize = 16;

/// Text that one fetch reply may carry, in bytes, so that it fits a frame with every byte escaped.
pub(crate) const FETCH_TEXT_BYTES: usize = 131_072;

/// Text of a message that is searched, in bytes from its beginning: what the writer indexes of one
/// message, and takes back, is bounded, whatever words it is made of. The same number stands in
/// `store/schema/05.sql`.
pub(crate) const SEARCHED_BYTES: i64 = 65_536;

/// Messages whose words are put into the index together. Fewer, and the index costs each sender
/// more; more, and each search reads more texts itself.
pub(crate) const UNINDEXED_MESSAGES: i64 = 64;

/// Searched text, in bytes, with which that is done before there are so many messages: what a
/// search reads itself is bounded, whatever is sent.
pub(crate) const UNINDEXED_BYTES: i64 = 65_536;

/// Texts that one page of history reads to show how they begin, in bytes, and one more: so that a
/// question holds the reader for some milliseconds.
pub(crate) const HISTORY_READ_BYTES: u64 = 4 * 1_024 * 1_024;

/// What a delivery takes of a reply, in bytes, at most.
pub(crate) const RECEIPT_BYTES: usize = 250;

/// Free space under which sends are refused, in bytes: room for deletes, acks and the WAL.
pub const FREE_SPACE_BYTES: u64 = 16 * 1_024 * 1_024;

/// Backups that are kept.
pub(crate) const BACKUPS: usize = 7;

/// Mailboxes and other per-agent state held in memory; the least needed are forgotten above it.
pub(crate) const AGENTS_IN_MEMORY: usize = 8_192;

/// `hello` must come within this time.
pub(crate) const HELLO_DEADLINE: Duration = Duration::from_secs(5);

/// `authenticate` must come within this time of the challenge: the client derives a key.
pub(crate) const PROOF_DEADLINE: Duration = Duration::from_secs(20);

/// The same for a token, which takes no deriving.
pub(crate) const TOKEN_PROOF_DEADLINE: Duration = Duration::from_secs(3);

/// A connection whose session has ended may still take the reply that is being written.
pub(crate) const LAST_REPLY: Duration = Duration::from_secs(1);

/// One who derives a key is dropped after this time when others wait for its place.
pub(crate) const DERIVING_DEADLINE: Duration = Duration::from_secs(5);

/// A silent stranger is dropped after this time when others wait for its place.
pub(crate) const SILENCE_DEADLINE: Duration = Duration::from_secs(1);

/// A frame, once begun, must be complete within this time.
pub(crate) const FRAME_DEADLINE: Duration = Duration::from_secs(10);

/// A reply must be taken within this time.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// Every wrong proof is answered after this time, whatever was wrong with it.
pub(crate) const REFUSAL_DELAY: Duration = Duration::from_millis(250);

/// How often a start tries to lock what a dying daemon may still hold: a second in all.
pub(crate) const LOCK_TRIES: usize = 200;

/// Between two such tries.
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// How long a stop waits for what is under way.
pub(crate) const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

/// Largest file of notices that is compared before it is replaced, in bytes: a sentence is shorter.
pub(crate) const NOTICE_FILE_BYTES: u64 = 4_096;
