//! Which process stands for the agent that runs this front-end.

use crate::process::{self, Facts};
use crate::request::HostProcess;

/// Programs that are agents' hosts, by the names of their processes.
const AGENT_HOSTS: [&str; 3] = ["claude", "gemini", "codex"];

/// Which process stands for an agent when none of its ancestors is a known host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownHost {
    /// The leader of the session (the terminal's shell), else the farthest ancestor in it.
    #[default]
    Terminal,
    /// The parent: it is what started us to speak for it. A known host counts only when nothing but
    /// shells and launchers stands between: a program within its shell is an agent of its own.
    Parent,
}

/// Programs that start another and are nobody's host.
const LAUNCHERS: [&str; 9] = [
    "sh", "bash", "dash", "zsh", "fish", "env", "nice", "timeout", "npx",
];

/// Finds the process that stands for the agent in whose name process `pid` acts: the nearest
/// ancestor that is a known agent host, else as `unknown` says. Nothing where the system says
/// nothing.
pub fn find_host(pid: u32, unknown: UnknownHost) -> Option<(HostProcess, Facts)> {
    let lineage = process::lineage(pid);
    let (own, ancestors) = lineage.split_first()?;
    let near = |a: &&Facts| match unknown {
        UnknownHost::Terminal => true,
        UnknownHost::Parent => agent_host(a.pid).is_some() || is_launcher(a.pid),
    };
    let known = ancestors
        .iter()
        .take_while(near)
        .find_map(|a| agent_host(a.pid).map(|name| (*a, Some(name))));
    let in_session = |a: &&Facts| a.session == own.session;
    let leader = || ancestors.iter().find(|a| a.pid == own.session);
    let farthest = || ancestors.iter().take_while(in_session).last();
    let otherwise = || match unknown {
        UnknownHost::Terminal => leader().or_else(farthest),
        UnknownHost::Parent => ancestors.first(),
    };
    let (facts, name) = known.or_else(|| otherwise().map(|facts| (*facts, None)))?;
    let program = name.and_then(|name| name.parse().ok());
    Some((
        HostProcess {
            pid: facts.pid,
            program,
        },
        facts,
    ))
}

fn is_launcher(pid: u32) -> bool {
    let names = process::program_names(pid);
    let own = names.first();
    own.is_some_and(|name| LAUNCHERS.contains(&name.as_str()))
}

fn agent_host(pid: u32) -> Option<&'static str> {
    let names = process::program_names(pid);
    AGENT_HOSTS
        .into_iter()
        .find(|host| names.iter().any(|name| name == host))
}
