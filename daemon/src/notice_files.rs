//! Files that say that mail waits: `notices/AGENT.md`, for agents that asked for one.
//!
//! What always holds: a file holds one sentence of counts and parsed names, or nothing; it is put in
//! place as a whole, away from the writer's thread, and only where it is to change; a disk that fails
//! is logged, and no request hears of it. What a file should hold is looked up when it is written, so
//! that a change that comes meanwhile is not lost, only written once more.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::id::AgentId;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{self, PrivateError};

use crate::actions;
use crate::daemon::{Daemon, stopped};
use crate::limits::NOTICE_FILE_BYTES;
use crate::store::notice_files;

/// Changes that come within this time are one.
const REST: Duration = Duration::from_millis(200);

/// Keeps the files until the daemon stops.
pub(crate) async fn run(daemon: Arc<Daemon>) {
    let mut stopping = daemon.stopping.clone();
    begin(&daemon).await;
    loop {
        tokio::select! {
            () = daemon.shared.notice_board.rung() => {}
            () = stopped(&mut stopping) => break,
        }
        write_changed(&daemon).await;
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stopped(&mut stopping) => break,
        }
    }
    write_changed(&daemon).await;
}

/// Begins where the last daemon left off: files of agents that are no more go too.
async fn begin(daemon: &Arc<Daemon>) {
    match daemon
        .reader
        .run(|view| Ok(notice_files::all(view.db)?))
        .await
    {
        Ok(agents) => agents
            .into_iter()
            .for_each(|agent| daemon.shared.notice_board.begin(agent)),
        Err(error) => tracing::error!(%error, "which files of notices are kept is not known"),
    }
    let data_dir = daemon.data_dir.clone();
    let there = tokio::task::spawn_blocking(move || there(&data_dir)).await;
    for agent in there.unwrap_or_default() {
        daemon.shared.notice_board.look_at(agent);
    }
}

/// The agents that have a file.
fn there(data_dir: &DataDir) -> Vec<AgentId> {
    let entries = std::fs::read_dir(data_dir.notices()).into_iter().flatten();
    let agent = |entry: io::Result<std::fs::DirEntry>| {
        let name = entry.ok()?.file_name();
        name.to_str()?.strip_suffix(".md")?.parse().ok()
    };
    entries.filter_map(agent).collect()
}

async fn write_changed(daemon: &Arc<Daemon>) {
    for agent in daemon.shared.notice_board.take() {
        let line = daemon
            .reader
            .run(move |view| actions::notices::line(agent, view))
            .await;
        let line = match line {
            // An agent is not asked to read what it may not.
            Ok(Some(_)) if daemon.shared.frozen.holds(agent) => Some(String::new()),
            Ok(line) => line,
            Err(error) => {
                tracing::error!(%error, %agent, "what waits could not be looked up");
                daemon.shared.notice_board.put_back(agent);
                continue;
            }
        };
        let data_dir = daemon.data_dir.clone();
        let write = move || put(&data_dir, agent, line.as_deref());
        match tokio::task::spawn_blocking(write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, %agent, "the file of notices could not be written");
                daemon.shared.notice_board.put_back(agent);
            }
            Err(_) => return,
        }
    }
}

/// Has the file of `agent` hold `line`, or takes it away.
fn put(data_dir: &DataDir, agent: AgentId, line: Option<&str>) -> Result<(), PrivateError> {
    let path = data_dir.notice(agent);
    let Some(line) = line else {
        return take_away(&path);
    };
    drop(private::ensure_directory(&data_dir.notices())?);
    // Whatever else stands there is replaced.
    match private::read_file(&path, NOTICE_FILE_BYTES) {
        Ok(now) if *now == line.as_bytes() => Ok(()),
        Ok(_) | Err(_) => private::write_file(&path, line.as_bytes()),
    }
}

fn take_away(path: &Path) -> Result<(), PrivateError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(PrivateError::Io {
            path: path.to_owned(),
            source,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}
