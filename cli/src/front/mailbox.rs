//! Whose mailbox.

use std::path::Path;

use ipc_protocol::client::AgentRecord;
use ipc_protocol::name::Name;
use ipc_protocol::process::{self, Facts};

use super::host;
use crate::context::Context;
use crate::failure::Failure;

/// Names that an error lists, at most.
const LISTED: usize = 10;

/// The agent that the command is about, and what to come back with.
pub(crate) fn find(context: &Context) -> Result<AgentRecord, Failure> {
    if let Some(name) = named(context)? {
        return of_name(context, &name);
    }
    let records = context.agent_files().all()?;
    let lineage = process::lineage(std::process::id());
    let at = nearest(&records, &lineage).map_err(|unclear| unclear.explain(&records))?;
    records
        .into_iter()
        .nth(at)
        .ok_or_else(|| Unclear::Nobody.explain(&[]))
}

/// The same for somebody who wants to be called `wanted`, and who may be nobody yet. Another name in
/// `--as` must be somebody's.
pub(crate) fn find_if_any(
    context: &Context,
    wanted: &Name,
) -> Result<Option<AgentRecord>, Failure> {
    let files = context.agent_files();
    if let Some(name) = named(context)? {
        let record = files.follow(&name)?;
        let is_other = context.acting_as.is_some() && !name.same_as(wanted);
        return match record {
            None if is_other => Err(not_kept(&name)),
            found_or_not => Ok(found_or_not),
        };
    }
    let records = files.all()?;
    let lineage = process::lineage(std::process::id());
    match nearest(&records, &lineage) {
        Ok(at) => Ok(records.into_iter().nth(at)),
        Err(Unclear::Nobody) => Ok(None),
        Err(several @ Unclear::Several(_)) => Err(several.explain(&records)),
    }
}

/// The agent that is or was called `name`, and what to come back with.
pub(crate) fn of_name(context: &Context, name: &Name) -> Result<AgentRecord, Failure> {
    let record = context.agent_files().follow(name)?;
    record.ok_or_else(|| not_kept(name))
}

/// The name that the caller gave, by option or environment.
fn named(context: &Context) -> Result<Option<Name>, Failure> {
    if context.acting_as.is_some() {
        return Ok(context.acting_as.clone());
    }
    context.configured_name()
}

/// The agents that worked in the folder `project`, in the order in which whoever is started there
/// comes back to them.
pub(crate) fn of_folder(records: Vec<AgentRecord>, project: &Path) -> Vec<AgentRecord> {
    let was_here = |record: &AgentRecord| record.project.as_deref() == Some(project);
    let mut here: Vec<_> = records.into_iter().filter(was_here).collect();
    here.sort_by_key(|record| (record.name.as_str().len(), record.name.folded()));
    here
}

/// The agent that the command is about, or will be once the server beside it has enrolled: the
/// first of this folder that no other window has. Inside a known host that is never the agent of
/// the terminal around it.
pub(crate) fn find_or_expect(context: &Context) -> Result<AgentRecord, Failure> {
    let found = find(context);
    let is_named = context.acting_as.is_some() || context.environment.instance.is_some();
    let host = host::own_host(context.unknown_host);
    let host = host.and_then(|(process, record)| process.program.is_some().then_some(record));
    let is_ours = |record: &AgentRecord| host.is_none() || record.host == host;
    match found {
        Ok(record) if is_named || is_ours(&record) => Ok(record),
        other if is_named => other,
        Ok(_) | Err(_) => expected(context)?.ok_or_else(|| Unclear::Nobody.explain(&[])),
    }
}

fn expected(context: &Context) -> Result<Option<AgentRecord>, Failure> {
    let Some(folder) = context.project() else {
        return Ok(None);
    };
    let here = of_folder(context.agent_files().all()?, &folder);
    let is_free = |record: &AgentRecord| !record.host.is_some_and(host::is_running);
    Ok(here.into_iter().find(is_free))
}

/// Nothing is kept for a name that the caller gave.
pub(crate) fn not_kept(name: &Name) -> Failure {
    Failure::usage(format!("no credentials are kept here for {name}"))
        .hint(format!("`ipc register {name}`"))
}

/// Why no mailbox can be chosen.
#[derive(Debug, PartialEq, Eq)]
enum Unclear {
    /// None was registered from an ancestor of this process.
    Nobody,
    /// These were, from the same nearest one.
    Several(Vec<usize>),
}

impl Unclear {
    fn explain(self, records: &[AgentRecord]) -> Failure {
        let all = || (0..records.len()).collect();
        let (text, own, listed) = match self {
            Self::Nobody if records.is_empty() => {
                return Failure::usage("no agent is registered here").hint("`ipc register NAME`");
            }
            Self::Nobody => (
                "no agent was registered from this terminal or agent",
                "`ipc register NAME` for one of your own, else ",
                all(),
            ),
            Self::Several(several) => ("several agents were registered from here", "", several),
        };

        let mut names: Vec<_> = listed
            .iter()
            .filter_map(|at| records.get(*at))
            .map(|r| r.name.as_str())
            .collect();
        names.sort_unstable();
        let more = if names.len() > LISTED { ", …" } else { "" };
        names.truncate(LISTED);
        let names = names.join(", ");
        Failure::usage(text).hint(format!("{own}`ipc --as NAME …` with one of: {names}{more}"))
    }
}

/// The agent whose host process is the nearest ancestor in `lineage` (nearest first).
fn nearest(records: &[AgentRecord], lineage: &[Facts]) -> Result<usize, Unclear> {
    let is_at = |record: &AgentRecord, facts: &Facts| {
        record
            .host
            .is_some_and(|h| h.pid == facts.pid && h.start_ticks == facts.start_ticks)
    };
    for facts in lineage {
        let here: Vec<usize> = records
            .iter()
            .enumerate()
            .filter(|(_, record)| is_at(record, facts))
            .map(|(at, _)| at)
            .collect();
        match here.as_slice() {
            [] => {}
            [one] => return Ok(*one),
            [..] => return Err(Unclear::Several(here)),
        }
    }
    Err(Unclear::Nobody)
}

#[cfg(test)]
mod tests {
    use ipc_protocol::client::HostRecord;
    use ipc_protocol::id::AgentId;
    use ipc_protocol::token::{Token, TokenKind};
    use rand::SeedableRng;

    use super::*;

    fn record(name: &str, host: Option<(u32, u64)>) -> AgentRecord {
        let mut random = rand::rngs::StdRng::seed_from_u64(1);
        AgentRecord {
            agent_id: AgentId::from_row(1),
            name: Name::parse(name).unwrap(),
            resume: Token::random(TokenKind::Resume, &mut random),
            session: None,
            host: host.map(|(pid, start_ticks)| HostRecord { pid, start_ticks }),
            project: None,
        }
    }

    fn lineage(pids: &[u32]) -> Vec<Facts> {
        let facts = |pid: &u32| Facts {
            pid: *pid,
            parent: 0,
            session: 0,
            start_ticks: 100,
            ended: false,
        };
        pids.iter().map(facts).collect()
    }

    #[test]
    fn the_nearest_ancestor_wins() {
        let records = [
            record("outer", Some((2, 100))),
            record("inner", Some((5, 100))),
        ];
        assert_eq!(nearest(&records, &lineage(&[9, 5, 2, 1])), Ok(1));
        assert_eq!(nearest(&records, &lineage(&[9, 2, 1])), Ok(0));
    }

    #[test]
    fn the_only_agent_is_not_chosen_for_being_the_only_one() {
        let records = [record("alice", Some((5, 100)))];
        assert_eq!(nearest(&records, &lineage(&[9, 1])), Err(Unclear::Nobody));
        let without_host = [record("alice", None)];
        assert_eq!(
            nearest(&without_host, &lineage(&[9, 1])),
            Err(Unclear::Nobody)
        );
    }

    #[test]
    fn a_later_process_with_the_same_id_is_another() {
        let records = [record("alice", Some((5, 99)))];
        assert_eq!(nearest(&records, &lineage(&[9, 5])), Err(Unclear::Nobody));
    }

    #[test]
    fn two_agents_of_one_host_are_both_named() {
        let records = [record("bob", Some((5, 100))), record("al", Some((5, 100)))];
        let unclear = nearest(&records, &lineage(&[5])).unwrap_err();
        assert_eq!(unclear, Unclear::Several(vec![0, 1]));
        let hint = unclear.explain(&records).hint.unwrap();
        assert!(hint.ends_with("al, bob"), "{hint}");
    }

    #[test]
    fn a_long_list_of_choices_is_cut() {
        let records: Vec<_> = (0..30)
            .map(|n| record(&format!("agent-{n}"), None))
            .collect();
        let hint = Unclear::Nobody.explain(&records).hint.unwrap();
        assert!(
            hint.ends_with(", …") && hint.matches("agent-").count() == LISTED,
            "{hint}"
        );
    }
}
