//! Which process stands for the agent that runs this front-end.

use crate::process::{self, Facts};
use crate::request::HostProcess;

/// Programs that are agents' hosts, by the names of their processes.
const AGENT_HOSTS: [&str; 3] = ["claude", "gemini", "codex"];

/// Finds the process that stands for the agent in whose name process `pid` acts: the nearest
/// ancestor that is a known agent host, else the leader of the session (the terminal's shell),
/// else the farthest ancestor in that session. Nothing where the system says nothing.
pub fn find_host(pid: u32) -> Option<(HostProcess, Facts)> {
    let lineage = process::lineage(pid);
    let (own, ancestors) = lineage.split_first()?;
    let known = ancestors
        .iter()
        .find_map(|a| agent_host(a.pid).map(|name| (*a, Some(name))));
    let in_session = |a: &&Facts| a.session == own.session;
    let leader = || ancestors.iter().find(|a| a.pid == own.session);
    let farthest = || ancestors.iter().take_while(in_session).last();
    let (facts, name) = known.or_else(|| leader().or_else(farthest).map(|facts| (*facts, None)))?;
    let program = name.and_then(|name| name.parse().ok());
    Some((
        HostProcess {
            pid: facts.pid,
            program,
        },
        facts,
    ))
}

fn agent_host(pid: u32) -> Option<&'static str> {
    let names = process::program_names(pid);
    AGENT_HOSTS
        .into_iter()
        .find(|host| names.iter().any(|name| name == host))
}
