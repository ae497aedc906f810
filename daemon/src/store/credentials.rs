//! Sessions and resume credentials: what is kept of a token, and when it is still good.

mod checking;
mod lifetime;
pub(crate) mod old_port;

use ipc_protocol::auth::{SaltedKey, Verifier};
use ipc_protocol::id::AgentId;
use ipc_protocol::time::Timestamp;
use ipc_protocol::token::{Sid, Token, TokenKind};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::context::{Context, Effect, View};
use crate::audit::event::{Event, SessionEnd};
use crate::caller::Peer;
use crate::clock::{BootId, Now};
use crate::host::HostProcess;
use crate::key::DeploymentKey;
use crate::limits::{SESSION_ABSOLUTE_MS, SESSIONS_PER_AGENT};
pub(crate) use checking::{check_caller, check_session, frozen};
pub(crate) use lifetime::Lifetime;

/// A row of credentials whose code was right.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) sid: Sid,
    pub(crate) kind: TokenKind,
    pub(crate) agent: AgentId,
    pub(crate) verifier: Verifier,
    pub(crate) kid: String,
    pub(crate) lifetime: Lifetime,
    host: Option<HostProcess>,
    peer: (u32, u32),
}

impl Credential {
    /// The process that stood for the agent when this was issued.
    pub(crate) const fn host(&self) -> Option<HostProcess> {
        self.host
    }

    /// The code over the row. Every column is in it.
    fn code(&self, key: &DeploymentKey) -> [u8; 32] {
        let lifetime = &self.lifetime;
        let host = self.host.map_or((0, 0), |h| (h.pid, h.start_ticks));
        key.code(
            "credentials",
            &[
                self.sid.as_bytes(),
                kind_word(self.kind).as_bytes(),
                &self.agent.to_row().to_be_bytes(),
                &self.verifier.stored_key,
                &self.verifier.server_key,
                self.kid.as_bytes(),
                &lifetime.created.wall.as_millis().to_be_bytes(),
                &lifetime.created.boot_ms.to_be_bytes(),
                lifetime.boot_id.0.as_bytes(),
                &lifetime
                    .expires
                    .map_or(i64::MAX, Timestamp::as_millis)
                    .to_be_bytes(),
                &lifetime.last_used.as_millis().to_be_bytes(),
                &self.peer.0.to_be_bytes(),
                &self.peer.1.to_be_bytes(),
                &host.0.to_be_bytes(),
                &host.1.to_be_bytes(),
            ],
        )
    }

    fn write(&self, db: &Connection, key: &DeploymentKey) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO credentials (sid, kind, agent, stored_key, server_key,
                   kid, created_ms, created_boot_ms, boot_id, expires_ms, last_used_ms,
                   peer_uid, peer_pid, host_pid, host_start, row_mac)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        db.prepare_cached(sql)?
            .execute(params![
                self.sid.as_bytes(),
                kind_word(self.kind),
                self.agent.to_row(),
                self.verifier.stored_key,
                self.verifier.server_key,
                self.kid,
                self.lifetime.created.wall.as_millis(),
                self.lifetime.created.boot_ms,
                self.lifetime.boot_id.0,
                self.lifetime.expires.map(Timestamp::as_millis),
                self.lifetime.last_used.as_millis(),
                self.peer.0,
                self.peer.1,
                self.host.map(|h| h.pid),
                self.host.map(|h| h.start_ticks.cast_signed()),
                self.code(key),
            ])
            .map(|_| ())
    }
}

const fn kind_word(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Session => "session",
        TokenKind::Resume => "resume",
    }
}

const COLUMNS: &str = "sid, kind, agent, stored_key, server_key, kid, created_ms, created_boot_ms,
    boot_id, expires_ms, last_used_ms, peer_uid, peer_pid, host_pid, host_start, row_mac";

fn read(row: &Row<'_>) -> rusqlite::Result<(Credential, [u8; 32])> {
    let host_pid: Option<u32> = row.get(13)?;
    let host_start: Option<i64> = row.get(14)?;
    let credential = Credential {
        sid: Sid::from_bytes(row.get(0)?),
        kind: if row.get_ref(1)?.as_str()? == "session" {
            TokenKind::Session
        } else {
            TokenKind::Resume
        },
        agent: AgentId::from_row(row.get(2)?),
        verifier: Verifier {
            stored_key: row.get(3)?,
            server_key: row.get(4)?,
        },
        kid: row.get(5)?,
        lifetime: Lifetime {
            created: Now {
                wall: Timestamp::from_millis(row.get(6)?),
                boot_ms: row.get(7)?,
            },
            boot_id: BootId(row.get(8)?),
            expires: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_millis),
            last_used: Timestamp::from_millis(row.get(10)?),
        },
        peer: (row.get(11)?, row.get(12)?),
        host: host_pid.zip(host_start).map(|(pid, start)| HostProcess {
            pid,
            start_ticks: start.cast_unsigned(),
        }),
    };
    Ok((credential, row.get(15)?))
}

/// The credential `sid`; a row whose code is wrong is as good as none.
pub(crate) fn find(
    db: &Connection,
    key: &DeploymentKey,
    sid: Sid,
) -> rusqlite::Result<Option<Credential>> {
    let sql = format!("SELECT {COLUMNS} FROM credentials WHERE sid = ?1");
    let row = db
        .prepare_cached(&sql)?
        .query_row([sid.as_bytes()], read)
        .optional()?;
    Ok(row.and_then(|(credential, code)| {
        let ours = bool::from(subtle::ConstantTimeEq::ct_eq(
            &credential.code(key)[..],
            &code[..],
        ));
        if !ours {
            tracing::warn!(%sid, "a row of credentials was not written by this deployment");
        }
        ours.then_some(credential)
    }))
}

/// Whether the credential `sid` has not been ended.
pub(crate) fn exists(db: &Connection, sid: Sid) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM credentials WHERE sid = ?1")?
        .exists([sid.as_bytes()])
}

/// Issues a token of `kind` to `agent`, for the front-end `peer` whose agent's process is `host`.
pub(crate) fn issue(
    context: &mut Context<'_>,
    kind: TokenKind,
    agent: AgentId,
    kid: &str,
    peer: &Peer,
    host: Option<HostProcess>,
) -> rusqlite::Result<(Token, Lifetime)> {
    let token = Token::random(kind, context.rng);
    let now = context.now;
    let expires = match kind {
        TokenKind::Session => Some(now.wall.plus_millis(SESSION_ABSOLUTE_MS)),
        TokenKind::Resume => None,
    };
    let credential = Credential {
        sid: token.sid(),
        kind,
        agent,
        verifier: SaltedKey::of_token(*token.key()).verifier(),
        kid: kid.to_owned(),
        lifetime: Lifetime {
            created: now,
            boot_id: context.boot_id.clone(),
            expires,
            last_used: now.wall,
        },
        host,
        peer: (peer.uid, peer.pid),
    };
    credential.write(context.db, context.key)?;
    Ok((token, credential.lifetime))
}

/// Makes room for one more session of `agent`: the least recently used ones go.
pub(crate) fn make_room(context: &mut Context<'_>, agent: AgentId) -> rusqlite::Result<()> {
    let mut sessions = sessions(context, agent)?;
    sessions.sort_by_key(|(_, last_used)| *last_used);
    let surplus = sessions
        .len()
        .saturating_add(1)
        .saturating_sub(SESSIONS_PER_AGENT);
    for (sid, _) in sessions.into_iter().take(surplus) {
        void(context, sid, SessionEnd::Surplus)?;
    }
    Ok(())
}

/// The sessions of `agent` and when each was last used.
pub(crate) fn sessions(view: &View<'_>, agent: AgentId) -> rusqlite::Result<Vec<(Sid, Timestamp)>> {
    let sql = "SELECT sid, last_used_ms FROM credentials WHERE agent = ?1 AND kind = 'session'";
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map([agent.to_row()], |row| {
        let sid = Sid::from_bytes(row.get(0)?);
        Ok((
            sid,
            view.presence
                .session_used(sid, Timestamp::from_millis(row.get(1)?)),
        ))
    })?;
    rows.collect()
}

/// Sessions that ended before `now`, or were last used before `unused`.
pub(crate) fn sessions_over(
    db: &Connection,
    now: Timestamp,
    unused: Timestamp,
) -> rusqlite::Result<Vec<Sid>> {
    let sql = "SELECT sid FROM credentials WHERE kind = 'session'
               AND (expires_ms < ?1 OR last_used_ms < ?2)";
    let mut query = db.prepare_cached(sql)?;
    let ends = [now.as_millis(), unused.as_millis()];
    query
        .query_map(ends, |row| row.get(0).map(Sid::from_bytes))?
        .collect()
}

/// The host processes that stood for `agent` when its credentials were issued, in this boot.
pub(crate) fn hosts(view: &View<'_>, agent: AgentId) -> rusqlite::Result<Vec<HostProcess>> {
    let sql = "SELECT DISTINCT host_pid, host_start FROM credentials
               WHERE agent = ?1 AND boot_id = ?2 AND host_pid IS NOT NULL";
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map(params![agent.to_row(), view.boot_id.0], read_host)?;
    rows.collect()
}

/// The host processes of all agents, at most `most`, in this boot.
pub(crate) fn all_hosts(view: &View<'_>, most: usize) -> rusqlite::Result<Vec<HostProcess>> {
    let sql = "SELECT DISTINCT host_pid, host_start FROM credentials
               WHERE boot_id = ?1 AND host_pid IS NOT NULL LIMIT ?2";
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map(params![view.boot_id.0, most], read_host)?;
    rows.collect()
}

fn read_host(row: &Row<'_>) -> rusqlite::Result<HostProcess> {
    Ok(HostProcess {
        pid: row.get(0)?,
        start_ticks: row.get::<_, i64>(1)?.cast_unsigned(),
    })
}

/// Whether `agent` has a credential to come back with.
pub(crate) fn has_resume(db: &Connection, agent: AgentId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM credentials WHERE agent = ?1 AND kind = 'resume'";
    db.prepare_cached(sql)?.exists([agent.to_row()])
}

/// Forgets every credential: they were made under a key that is lost.
pub(crate) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM credentials")?
        .execute([])
        .map(|_| ())
}

/// Ends one session or resume credential.
pub(crate) fn void(context: &mut Context<'_>, sid: Sid, why: SessionEnd) -> rusqlite::Result<()> {
    let sql = "DELETE FROM credentials WHERE sid = ?1 RETURNING agent, kind = 'session'";
    let ended = context
        .db
        .prepare_cached(sql)?
        .query_row([sid.as_bytes()], |row| {
            Ok((AgentId::from_row(row.get(0)?), row.get::<_, bool>(1)?))
        })
        .optional()?;
    if let Some((agent, true)) = ended {
        context.effects.push(Effect::Audited(Event::SessionEnded {
            agent,
            session: sid,
            why,
        }));
    }
    let why = why.told();
    context.effects.push(Effect::SessionEnded { sid, why });
    Ok(())
}

/// Ends every session of `agent`; says how many.
pub(crate) fn void_sessions(
    context: &mut Context<'_>,
    agent: AgentId,
    why: SessionEnd,
) -> rusqlite::Result<u64> {
    let sessions = sessions(context, agent)?;
    let number = sessions.len();
    for (sid, _) in sessions {
        void(context, sid, why)?;
    }
    Ok(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Ends every session of `agent` and its resume credential.
pub(crate) fn void_all(
    context: &mut Context<'_>,
    agent: AgentId,
    why: SessionEnd,
) -> rusqlite::Result<u64> {
    let sessions = void_sessions(context, agent, why)?;
    let sql = "DELETE FROM credentials WHERE agent = ?1";
    context.db.prepare_cached(sql)?.execute([agent.to_row()])?;
    Ok(sessions)
}

/// Lets the session `sid` end at `expires` at the latest, as `renew` does with the old token.
pub(crate) fn shorten(
    context: &Context<'_>,
    mut credential: Credential,
    expires: Timestamp,
) -> rusqlite::Result<()> {
    let sooner = credential
        .lifetime
        .expires
        .map_or(expires, |at| at.min(expires));
    credential.lifetime.expires = Some(sooner);
    credential.write(context.db, context.key)
}

/// Notes that `host` stands for the agent of the resume credential `sid` from now on. Sessions end
/// sooner than hosts do, so it is kept where it lasts.
pub(crate) fn stand_for(
    context: &Context<'_>,
    sid: Sid,
    host: HostProcess,
) -> rusqlite::Result<()> {
    match find(context.db, context.key, sid)? {
        Some(mut credential) if credential.host != Some(host) => {
            credential.host = Some(host);
            // Process ids and start times mean something within one boot only.
            credential.lifetime.boot_id = context.boot_id.clone();
            credential.lifetime.created.boot_ms = context.now.boot_ms;
            credential.write(context.db, context.key)
        }
        Some(_) | None => Ok(()),
    }
}

/// Notes that the session `sid` was used at `at`.
pub(crate) fn used(
    db: &Connection,
    key: &DeploymentKey,
    sid: Sid,
    at: Timestamp,
) -> rusqlite::Result<()> {
    match find(db, key, sid)? {
        Some(mut credential) if credential.lifetime.last_used < at => {
            credential.lifetime.last_used = at;
            credential.write(db, key)
        }
        Some(_) | None => Ok(()),
    }
}
