//! Writing what was read into our store, in the caller's transaction.

use ipc_protocol::id::{AgentId, ConversationId, MessageId};
use ipc_protocol::json;
use ipc_protocol::limits::DATA_DEPTH;
use ipc_protocol::message::{DeliveryState, Handover, Kind};
use ipc_protocol::name::Name;
use ipc_protocol::time::Timestamp;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rusqlite::{Connection, params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Progress;
use super::error::MigrateError;
use super::large::{Directory, Whole};
use super::names::{Known, Making, Names};
use super::report::Report;
use super::source::{MOST_NAMES, OldMessage, Read, Source};
use super::times::moment;
use crate::limits::ALIAS_MS;
use crate::store::{conversations, indexing, messages};

/// Messages between two calls of whoever watches.
const STEP: u64 = 500;

/// What the server added to a message's data when it put the text into a file.
const OF_FILES: [&str; 2] = ["large_message_file", "original_size_kb"];

/// Everything that writing takes.
pub(super) struct Writing<'a> {
    pub(super) db: &'a Connection,
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
    pub(super) rng: &'a mut StdRng,
    pub(super) large: &'a Directory,
    /// What a message may hold, in bytes.
    pub(super) body_bytes: usize,
    pub(super) report: &'a mut Report,
}

/// A message as it is written.
struct New {
    id: MessageId,
    sender: Known,
    recipient: (Option<AgentId>, Name),
    text: String,
    data: Option<String>,
    sent: Timestamp,
    read: bool,
}

impl Writing<'_> {
    /// Writes everything that `source` has.
    pub(super) fn run(
        &mut self,
        source: &Source,
        progress: Progress<'_>,
    ) -> Result<(), MigrateError> {
        let all = source.number()?;
        let mut names = Names::default();
        self.report.sessions_dropped = source.sessions()?;
        for (old, seen) in source.instances()? {
            let seen = seen.and_then(|seen| moment(&seen, self.zone));
            self.agent(&mut names, &old, seen.unwrap_or(self.now))?;
        }
        for old in source.senders()? {
            self.agent(&mut names, &old, self.now)?;
        }
        self.forwards(source, &names)?;
        let mut done = 0_u64;
        source.messages(|row, read| {
            match read {
                Read::Message(old) => self.message(&mut names, old)?,
                Read::Unreadable(why) => self.report.leave_out(Some(row), "the message", why),
            }
            done = done.saturating_add(1);
            if done.is_multiple_of(STEP) || done == all {
                progress(done, all);
            }
            Ok(())
        })?;
        indexing::catch_up(self.db).map_err(failed(self.db))
    }

    fn agent(
        &mut self,
        names: &mut Names,
        old: &str,
        seen: Timestamp,
    ) -> Result<Known, MigrateError> {
        let known = names.agent(old, seen, &mut self.making());
        known.map_err(failed(self.db))
    }

    fn recipient(
        &mut self,
        names: &mut Names,
        old: &OldMessage,
    ) -> Result<(Option<AgentId>, Name), MigrateError> {
        let recipient = names.recipient(&old.to, &mut self.making());
        let recipient = recipient.map_err(failed(self.db))?;
        if recipient.0.is_none() && old.read {
            // Somebody has read it, so somebody was registered under that name.
            let known = self.agent(names, &old.to, self.now)?;
            return Ok((Some(known.agent), known.name));
        }
        Ok(recipient)
    }

    fn making(&mut self) -> Making<'_> {
        Making {
            db: self.db,
            rng: self.rng,
            now: self.now,
            report: self.report,
        }
    }

    /// Old names that forward for a while yet go on forwarding.
    fn forwards(&mut self, source: &Source, names: &Names) -> Result<(), MigrateError> {
        for (old, new, at) in source.renames()? {
            let until = moment(&at, self.zone).map(|at| at.plus_millis(ALIAS_MS));
            let Some(until) = until.filter(|until| crate::store::names::forwards(self.now, *until))
            else {
                continue;
            };
            let (Ok(old), Some(to)) = (Name::parse(&old), names.known(&new)) else {
                self.report
                    .leave_out(None, "a forward", "its names are not known");
                continue;
            };
            let sql = "INSERT INTO names (folded, shown, agent, until_ms) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (folded) DO NOTHING";
            let row = params![
                old.folded(),
                old.as_str(),
                to.agent.to_row(),
                until.as_millis()
            ];
            let added = self
                .db
                .prepare_cached(sql)
                .and_then(|mut sql| sql.execute(row));
            if added.map_err(failed(self.db))? == 0 {
                self.report
                    .leave_out(None, "a forward", "its old name is somebody's again");
            } else {
                self.report.forwards = self.report.forwards.saturating_add(1);
            }
        }
        Ok(())
    }

    fn message(&mut self, names: &mut Names, old: OldMessage) -> Result<(), MigrateError> {
        let row = Some(old.row);
        let sent = moment(&old.time, self.zone);
        if sent.is_none() {
            self.report.leave_out(
                row,
                "the time",
                "it is no time; the message counts as of now",
            );
        }
        let id = identity(&old);
        let sender = self.agent(names, &old.from, self.now)?;
        let recipient = self.recipient(names, &old)?;
        if names.number() > MOST_NAMES {
            return Err(MigrateError::TooMany {
                path: self.report.original.clone(),
                what: "names",
                most: MOST_NAMES,
            });
        }
        let read = old.read;
        let (text, data, from_file) = self.body(old);
        let bytes = text
            .len()
            .saturating_add(data.as_ref().map_or(0, String::len));
        if bytes > self.body_bytes {
            self.report
                .leave_out(row, "the message", "it is larger than a message may be");
            return Ok(());
        }
        let new = New {
            id,
            sender,
            recipient,
            text,
            data,
            sent: sent.unwrap_or(self.now).min(self.now),
            read,
        };
        let written = write(self.db, self.rng, &new, self.now).map_err(failed(self.db))?;
        let counter = match (written, new.read) {
            (false, _) => &mut self.report.repeated,
            (true, true) => &mut self.report.read,
            (true, false) => &mut self.report.unread,
        };
        *counter = counter.saturating_add(1);
        if written && from_file {
            self.report.from_files = self.report.from_files.saturating_add(1);
        }
        Ok(())
    }

    /// The text of a message, its attached data, and whether the text came from a file.
    fn body(&mut self, old: OldMessage) -> (String, Option<String>, bool) {
        let row = Some(old.row);
        let whole = self.large.whole(&old, self.body_bytes);
        let from_file = matches!(whole, Whole::Text(_));
        let text = match whole {
            Whole::Text(text) => text,
            Whole::None => old.content,
            Whole::Lost(why) => {
                self.report
                    .leave_out(row, "the whole text; its summary came", why);
                old.content
            }
        };
        let data = old.data.map(|data| read_data(&data, from_file));
        let data = data.unwrap_or(Ok(None)).unwrap_or_else(|why| {
            self.report.leave_out(row, "the attached data", why);
            None
        });
        (text, data, from_file)
    }
}

/// Writes one message; says whether it was not there yet.
fn write(db: &Connection, rng: &mut StdRng, new: &New, now: Timestamp) -> rusqlite::Result<bool> {
    let (agent, name) = &new.recipient;
    let other = agent.filter(|agent| *agent != new.sender.agent);
    let conversation = other.map(|other| conversations::direct(db, rng, new.sender.agent, other));
    let conversation = conversation.transpose()?;
    let sql = "INSERT INTO messages (id, sender, sender_name, sender_incarnation, kind, hops,
               sent_ms, bytes, conversation) VALUES (?1, ?2, ?3, 0, ?4, 0, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";
    let added = db.prepare_cached(sql)?.execute(params![
        new.id.to_row(),
        new.sender.agent.to_row(),
        new.sender.name.as_str(),
        Kind::Message.as_str(),
        new.sent.as_millis(),
        i64::try_from(new.text.len()).unwrap_or(i64::MAX),
        conversation.map(ConversationId::to_row),
    ])?;
    if added == 0 {
        return Ok(false);
    }
    let seq = messages::Seq(db.last_insert_rowid());
    messages::insert_body(db, seq, &new.text, new.data.as_deref())?;
    // What was read there is kept here for as long as what is read here.
    let (state, at) = if new.read {
        (DeliveryState::Delivered, Some(now.as_millis()))
    } else {
        (DeliveryState::Stored, None)
    };
    let sql = "INSERT INTO deliveries (message, sender, agent, unclaimed, name, state,
               delivered_ms, handover) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.prepare_cached(sql)?.execute(params![
        seq.0,
        new.sender.agent.to_row(),
        agent.map(AgentId::to_row),
        agent.is_none().then(|| name.folded()),
        name.as_str(),
        state.as_str(),
        at,
        at.map(|_| Handover::Imported.as_str()),
    ])?;
    Ok(true)
}

/// The same message of the same file has the same id, so that it comes over once.
fn identity(old: &OldMessage) -> MessageId {
    let mut hash = Sha256::new();
    hash.update(old.row.to_be_bytes());
    for text in [&old.from, &old.to, &old.time, &old.content] {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    MessageId::from_row(i64::from_be_bytes(first))
}

/// The attached data as we store it: a JSON object, or nothing.
fn read_data(text: &str, from_file: bool) -> Result<Option<String>, &'static str> {
    if text.is_empty() || text == "null" {
        return Ok(None);
    }
    let data: Result<Map<String, Value>, _> = json::parse_object(text.as_bytes(), DATA_DEPTH);
    let mut data = data.map_err(|_| "it is no JSON object, or nested too deeply")?;
    if from_file {
        data.retain(|key, _| !OF_FILES.contains(&key.as_str()));
    }
    if data.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&data)
        .map(Some)
        .map_err(|_| "it is no JSON object")
}

fn failed(db: &Connection) -> impl Fn(rusqlite::Error) -> MigrateError + use<> {
    let path = db.path().unwrap_or_default().to_owned();
    move |error| MigrateError::sqlite(path.as_ref(), error)
}
