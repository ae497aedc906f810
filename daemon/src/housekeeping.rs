//! What the daemon does unasked: write uses down, forget what is old, back up, check itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::id::AgentId;
use ipc_protocol::limits::PROTOCOL_VERSION;
use ipc_protocol::request::{BackedUp, Enrolment, OldPortTrouble, StatusReport};
use ipc_protocol::time::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::actions;
use crate::audit::event::{Event, Plain};
use crate::clock::Now;
use crate::daemon::{Daemon, stopped};
use crate::deployment;
use crate::error::{Done, Fault};
use crate::limits::{CLOCK_TOLERANCE_MS, DAY_MS, FREE_SPACE_BYTES};
use crate::locked::KeptSecret;
use crate::presence::Uses;
use crate::store::context::{Context, Effect, View};
use crate::store::{agents, backup, credentials, quarantine, retention, verifiers};
use ipc_protocol::auth::{Kdf, KdfName};

/// How often the daemon looks after itself: uses reach the disk within this time, and nothing is
/// forgotten before the clock has been right for so long.
const ROUND: Duration = Duration::from_mins(10);

/// Looks after the daemon until it stops.
pub(crate) async fn run(daemon: Arc<Daemon>) {
    let mut stopping = daemon.stopping.clone();
    let mut rounds = interval_at(tokio::time::Instant::now() + ROUND, ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = daemon.shared.clock.now();
    let mut backed_up_at = daemon.shared.counters.commits();
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = stopped(&mut stopping) => break,
        }
        write_uses(&daemon).await;
        let now = daemon.shared.clock.now();
        if clock_was_set(last, now) {
            tracing::warn!("the clock was set: nothing is forgotten in this round");
        } else {
            sweep(&daemon).await;
            back_up_daily(&daemon, now, &mut backed_up_at).await;
        }
        last = now;
    }
    write_uses(&daemon).await;
}

/// Whether wall time moved otherwise than time did.
fn clock_was_set(before: Now, now: Now) -> bool {
    let by_wall = now.wall.millis_since(before.wall);
    let by_boot = now.boot_ms.saturating_sub(before.boot_ms);
    by_wall.saturating_sub(by_boot).saturating_abs() > CLOCK_TOLERANCE_MS
}

/// Writes down who was seen and which sessions were used; with nothing to write, nothing is.
async fn write_uses(daemon: &Arc<Daemon>) {
    let uses = daemon.shared.presence.take_uses();
    if uses.agents.is_empty() && uses.sessions.is_empty() {
        return;
    }
    report(
        "uses could not be written down",
        daemon
            .writer
            .run(move |context| write_down(uses, context))
            .await,
    );
}

/// Writes `uses` down.
pub(crate) fn write_down(uses: Uses, context: &Context<'_>) -> Done<()> {
    for (agent, at) in uses.agents {
        agents::seen(context.db, agent, at)?;
    }
    for (session, at) in uses.sessions {
        credentials::used(context.db, context.key, session, at)?;
    }
    Ok(())
}

/// Forgets what is old, a little at a go, so that others get their turn in between.
async fn sweep(daemon: &Arc<Daemon>) {
    while let Some(true) = report(
        "what is old could not be forgotten",
        daemon.writer.run(retention::sweep).await,
    ) {}
}

async fn back_up_daily(daemon: &Arc<Daemon>, now: Now, backed_up_at: &mut u64) {
    let commits = daemon.shared.counters.commits();
    let newest = newest_backup(daemon);
    let due = newest.is_none_or(|at| now.wall.millis_since(at) >= DAY_MS);
    if due
        && commits != *backed_up_at
        && report("the backup failed", backup_now(Arc::clone(daemon)).await).is_some()
    {
        *backed_up_at = commits;
    }
}

fn newest_backup(daemon: &Daemon) -> Option<Timestamp> {
    let backups = backup::list(&daemon.data_dir).ok()?;
    backups.first().and_then(|path| backup::made_at(path))
}

/// Makes a verified backup.
pub(crate) async fn backup_now(daemon: Arc<Daemon>) -> Done<BackedUp> {
    let _one_at_a_time = daemon.backup.lock().await;
    let (data_dir, now) = (daemon.data_dir.clone(), daemon.shared.clock.now().wall);
    let made = tokio::task::spawn_blocking(move || backup::make(&data_dir, now)).await;
    let made = made.map_err(|_| Fault::Stopping)?;
    let made = made.map_err(|error| Fault::Files(std::io::Error::other(error)))?;
    let file = made
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    tracing::info!(file, bytes = made.bytes, "backed up");
    daemon.shared.audit.note(Event::BackedUp {
        file: Plain::new(&file),
        bytes: made.bytes,
    });
    Ok(BackedUp {
        file,
        bytes: made.bytes,
    })
}

/// Puts a status report together, for `asker` if it is an agent.
pub(crate) async fn status(daemon: Arc<Daemon>, asker: Option<AgentId>) -> Done<StatusReport> {
    let look = move |view: &View<'_>| actions::status::status(asker, view);
    let store = daemon.reader.run(look).await?;
    let counters = daemon.shared.counters.read();
    Ok(StatusReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL_VERSION,
        schema: store.schema,
        pid: std::process::id(),
        started_ms: daemon.started,
        enrolment: daemon.shared.gate.enrolment(),
        leaves_when_idle: daemon.leaves_when_idle,
        agents: store.agents,
        live: store.live,
        connections: daemon.shared.counters.open(),
        messages: store.messages,
        waiting: store.waiting,
        database_bytes: store.database_bytes,
        last_backup_ms: newest_backup(&daemon),
        counters,
        sandbox: daemon.sandbox,
        frozen: store.frozen,
        old_port: daemon.old_port.report(&daemon.shared.gate),
    })
}

/// What is slow about the shared secret: is it the right one, and the second verifier.
pub(crate) async fn examine_secret(daemon: Arc<Daemon>, secret: Option<KeptSecret>) {
    let Some(secret) = secret else { return };
    let known = daemon.shared.gate.verifiers();
    let kid = known.iter().find(|v| v.kdf.name() == KdfName::Argon2id);
    let kid = kid.map(|verifier| verifier.kid.clone()).unwrap_or_default();
    let compared_with = Arc::clone(&known);
    let mut rng: StdRng = StdRng::from_rng(&mut daemon.shared.gate.fork_rng());
    let work = tokio::task::spawn_blocking(move || {
        let argon2id = known.iter().find(|v| v.kdf.name() == KdfName::Argon2id)?;
        if !deployment::is_same(&secret, argon2id) {
            return Some(Err(Enrolment::SecretChanged));
        }
        if known.iter().any(|v| v.kdf.name() == KdfName::Scrypt) {
            return Some(Ok(None));
        }
        let kid = argon2id.kid.clone();
        Some(Ok(
            deployment::derive(&secret, Kdf::SCRYPT, kid, &mut rng).ok()
        ))
    });
    match work.await {
        Ok(Some(Ok(second))) => {
            daemon.shared.gate.set_enrolment(Enrolment::Open);
            daemon.old_port.open(&kid);
            let Some(second) = second else { return };
            let add = move |context: &mut Context<'_>| {
                // Unless it was rotated meanwhile: then this is the verifier of an old secret.
                if verifiers::is_current(context.db, &second.kid)? {
                    verifiers::add(context.db, context.key, &second, context.now)?;
                    let all = Arc::new(verifiers::all(context.db, context.key)?);
                    context.effects.push(Effect::VerifiersChanged(all));
                }
                Ok(())
            };
            report(
                "the second verifier was not stored",
                daemon.writer.run(add).await,
            );
        }
        Ok(Some(Err(enrolment))) => {
            tracing::warn!("the shared secret is not the one this deployment was made with");
            daemon.old_port.close(OldPortTrouble::SecretChanged);
            // Unless it was rotated meanwhile: then it was another secret that was compared with.
            if Arc::ptr_eq(&compared_with, &daemon.shared.gate.verifiers()) {
                daemon.shared.gate.set_enrolment(enrolment);
            }
        }
        Ok(None) | Err(_) => daemon.old_port.close(OldPortTrouble::NoSecret),
    }
}

/// Looks for damage in the store, beside everything else. Damage stops the daemon.
pub(crate) async fn check_store(daemon: Arc<Daemon>) -> Option<String> {
    let path = daemon.data_dir.database();
    let check = tokio::task::spawn_blocking(move || {
        let db = crate::store::hardening::open_reader(&path)?;
        backup::quick_check(&db)
    });
    match check.await {
        Ok(Ok(finding)) => finding,
        Ok(Err(error)) if quarantine::is_damage(&error) => Some(error.to_string()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store could not be checked");
            None
        }
        Err(_) => None,
    }
}

/// Whether so little space is left that no more mail is taken in.
pub(crate) fn is_nearly_full(directory: &Path) -> bool {
    rustix::fs::statvfs(directory)
        .is_ok_and(|facts| facts.f_bavail.saturating_mul(facts.f_frsize) < FREE_SPACE_BYTES)
}

fn report<T>(what: &'static str, done: Done<T>) -> Option<T> {
    done.map_err(|error| tracing::error!(%error, "{what}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_told_from_one_that_runs() {
        let at = |wall, boot_ms| Now {
            wall: Timestamp::from_millis(wall),
            boot_ms,
        };
        let before = at(1_000_000_000, 5_000);
        assert!(!clock_was_set(before, at(1_000_600_000, 605_000)));
        assert!(clock_was_set(
            before,
            at(1_000_600_000 + 3 * DAY_MS, 605_000)
        ));
        assert!(clock_was_set(
            before,
            at(1_000_600_000 - 3 * DAY_MS, 605_000)
        ));
    }
}
