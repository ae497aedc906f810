//! Actions on a database in memory: no runtime, no socket, and a clock that stands still until it
//! is moved. On one in files where a crash is what is tested ([`disk`]).

mod disk;

use ipc_protocol::auth::{Kdf, Verifier};
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::message::{Handover, Kind, Mail};
use ipc_protocol::request::{
    Ack, Conversation, ConversationReport, Fetch, Register, Reply, Send, Sent, WhenLive,
};
use ipc_protocol::time::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;

use super::{ack, conversation, fetch, register, reply, send};
use crate::caller::{Caller, Newcomer, Operator, Peer};
use crate::clock::{BootId, Now};
use crate::config::{NamePolicy, Secrets};
use crate::error::{ActionError, Done};
use crate::key::DeploymentKey;
use crate::limits::Limits;
use crate::presence::Presence;
use crate::store::context::{Context, Effect, View};
use crate::store::verifiers::{self, SecretVerifier};
use crate::store::{hardening, indexing, migrations, retention};

/// The secret that every newcomer has proved.
const KID: &str = "k1";

/// What the writer would have on its desk.
pub(crate) struct Desk {
    pub(crate) db: Connection,
    pub(crate) now: Now,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
    presence: Presence,
    rng: StdRng,
    key: DeploymentKey,
    boot_id: BootId,
    /// Where the database lies, if it lies in files.
    room: Option<tempfile::TempDir>,
}

impl Desk {
    /// An empty store, and limits that nothing here meets.
    pub(crate) fn new() -> Self {
        let mut db = Connection::open_in_memory().unwrap();
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL")
            .unwrap();
        hardening::harden(&db).unwrap();
        migrations::run(&mut db).unwrap();
        Self::with(db, None)
    }

    fn with(db: Connection, room: Option<tempfile::TempDir>) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let key = DeploymentKey::random(&mut rng);
        let now = Now {
            wall: Timestamp::from_millis(1_800_000_000_000),
            boot_ms: 1_000_000,
        };
        let secret = SecretVerifier {
            kid: KID.to_owned(),
            kdf: Kdf::ARGON2ID,
            salt: vec![0; 16],
            verifier: Verifier {
                stored_key: [0; 32],
                server_key: [0; 32],
            },
        };
        verifiers::add(&db, &key, &secret, now).unwrap();
        let limits = Limits {
            unclaimed_names_per_sender: 1_000,
            rename_cooldown_s: 0,
            ..Limits::default()
        };
        Self {
            db,
            now,
            limits,
            secrets: Secrets::default(),
            presence: Presence::default(),
            rng,
            key,
            boot_id: BootId("boot".to_owned()),
            room,
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, seconds: i64) {
        let milliseconds = seconds.saturating_mul(1_000);
        self.now.wall = self.now.wall.plus_millis(milliseconds);
        self.now.boot_ms = self.now.boot_ms.saturating_add(milliseconds);
    }

    /// Does `action` as the writer does: all of it, or nothing if it refuses.
    pub(crate) fn act<T>(&mut self, action: impl FnOnce(&mut Context<'_>) -> Done<T>) -> Done<T> {
        self.db.execute_batch("SAVEPOINT job").unwrap();
        let mut effects: Vec<Effect> = Vec::new();
        let outcome = action(&mut Context {
            view: View {
                db: &self.db,
                now: self.now,
                boot_id: &self.boot_id,
                limits: &self.limits,
                presence: &self.presence,
            },
            rng: &mut self.rng,
            key: &self.key,
            names: NamePolicy::Credential,
            secrets: &self.secrets,
            effects: &mut effects,
        });
        if outcome.is_err() {
            self.db.execute_batch("ROLLBACK TO job").unwrap();
        }
        self.db.execute_batch("RELEASE job").unwrap();
        outcome
    }

    /// Does `action` for `caller`, who is seen doing it.
    pub(crate) fn act_as<T>(
        &mut self,
        caller: &Caller,
        action: impl FnOnce(&mut Context<'_>) -> Done<T>,
    ) -> Result<T, ErrorCode> {
        let at = self.now.wall;
        self.presence.used(caller.agent(), caller.session(), at);
        self.act(action).map_err(code)
    }

    /// Registers a name with the secret.
    pub(crate) fn register(&mut self, name: &str, automatic: bool) -> Result<Caller, ErrorCode> {
        let request = Register {
            name: name.parse().unwrap(),
            when_live: WhenLive::Refuse,
            automatic,
            host: None,
        };
        let newcomer = Newcomer::Secret(Operator::new(KID.to_owned(), 1));
        let peer = Peer {
            uid: 1,
            pid: 1,
            start_ticks: None,
            program: None,
        };
        let enrolled = self.act(|c| register::register(&request, &newcomer, &peer, c));
        enrolled.map(|enrolled| enrolled.caller).map_err(code)
    }

    /// Sends a text.
    pub(crate) fn send(&mut self, from: &Caller, to: &str, text: &str) -> Result<Sent, ErrorCode> {
        let request = message(to, text);
        self.act_as(from, |c| send::send(&request, from, c))
    }

    /// Answers a message.
    pub(crate) fn reply(
        &mut self,
        from: &Caller,
        message_id: MessageId,
        private: bool,
    ) -> Result<Sent, ErrorCode> {
        let request = Reply {
            message_id: Some(message_id),
            text: "an answer".to_owned(),
            data: None,
            idempotency_key: None,
            private,
            is_final: true,
        };
        self.act_as(from, |c| reply::reply(&request, from, c))
    }

    /// Does something about conversations.
    pub(crate) fn converse(
        &mut self,
        caller: &Caller,
        request: &Conversation,
    ) -> Result<ConversationReport, ErrorCode> {
        self.act_as(caller, |c| conversation::conversation(request, caller, c))
    }

    /// Takes everything that is there, on a lease.
    pub(crate) fn fetch(&mut self, caller: &Caller) -> Vec<Mail> {
        let request = Fetch {
            limit: Some(100),
            ..Fetch::default()
        };
        let fetched = self.act_as(caller, |c| fetch::fetch(&request, caller, c));
        fetched.unwrap().messages
    }

    /// Acknowledges messages; says how many were not delivered before.
    pub(crate) fn ack(&mut self, caller: &Caller, message_ids: Vec<MessageId>) -> u64 {
        let request = Ack {
            message_ids,
            handover: Handover::Cli,
        };
        let acked = self.act_as(caller, |c| ack::ack(&request, caller, c));
        acked.unwrap().delivered
    }

    /// Forgets what is old, until there is nothing more to forget.
    pub(crate) fn sweep(&mut self) {
        while self.act(retention::sweep).unwrap() {}
    }

    /// Puts the words of everything into the index, as the writer does now and then.
    pub(crate) fn index(&self) {
        indexing::catch_up(&self.db).unwrap();
    }

    /// Compares the index of words with the texts that it goes through.
    pub(crate) fn check_index(&self) {
        let whole = "INSERT INTO words (words, rank) VALUES ('integrity-check', 1)";
        self.db.execute(whole, []).unwrap();
    }

    /// The one number that `sql` comes to.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.db.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// The code of the refusal; a fault is never expected here.
fn code(error: ActionError) -> ErrorCode {
    match error {
        ActionError::Refused(refusal) => refusal.code,
        ActionError::Fault(fault) => panic!("a fault: {fault}"),
    }
}

/// A message as it is asked for.
fn message(to: &str, text: &str) -> Send {
    Send {
        to: to.parse().unwrap(),
        text: text.to_owned(),
        kind: Kind::Message,
        data: None,
        reply_to: None,
        idempotency_key: None,
        known_only: false,
    }
}
