//! What the system says of processes: the seam between Linux and the rest.
//!
//! On Linux the facts come from `/proc/PID/stat`. Elsewhere nothing is known, and everything built
//! on it (host processes, start times) is simply absent.

/// Longest chain of ancestors that is looked at.
const ANCESTORS: usize = 64;

/// The first process of a system or a container.
const FIRST: u32 = 1;

/// A process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Its id.
    pub pid: u32,
    /// Its parent's id.
    pub parent: u32,
    /// The id of its session's leader.
    pub session: u32,
    /// When it started, in clock ticks after boot: with the id, unique until the next boot.
    pub start_ticks: u64,
    /// Whether it has ended and only waits to be reaped.
    pub ended: bool,
}

/// The process `pid`, if the system says anything of it.
#[cfg(target_os = "linux")]
pub fn facts(pid: u32) -> Option<Facts> {
    parse_stat(
        pid,
        &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?,
    )
}

/// The process `pid`: nothing is known on this system.
#[cfg(not(target_os = "linux"))]
pub fn facts(_pid: u32) -> Option<Facts> {
    None
}

/// Whether `pid` is still the process that started at `start_ticks`.
pub fn is_running(pid: u32, start_ticks: u64) -> bool {
    facts(pid).is_some_and(|f| f.start_ticks == start_ticks && !f.ended)
}

/// The process `pid` and its ancestors, nearest first, at most 64.
///
/// The first process adopts every orphan, so that to be its child means nothing: it is counted
/// only as the leader of the session that `pid` is in (a container's shell).
pub fn lineage(pid: u32) -> Vec<Facts> {
    lineage_among(facts, pid)
}

fn lineage_among(facts: impl Fn(u32) -> Option<Facts>, pid: u32) -> Vec<Facts> {
    let Some(own) = facts(pid) else {
        return Vec::new();
    };
    let next = |f: &Facts| facts(f.parent).filter(|parent| parent.start_ticks <= f.start_ticks);
    std::iter::successors(Some(own), next)
        .take(ANCESTORS)
        .take_while(|f| f.pid != FIRST || own.session == FIRST)
        .collect()
}

/// Names under which the process may be known: its own, that of its program, and that of the file
/// which its program runs, where that is an interpreter. A file that an editor was given is none.
#[cfg(target_os = "linux")]
pub fn program_names(pid: u32) -> Vec<String> {
    let own = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut arguments = arguments
        .split(|b| *b == 0)
        .filter_map(|a| std::str::from_utf8(a).ok());
    let program = arguments.next().map(base_name).unwrap_or_default();
    let is_interpreter = INTERPRETERS
        .iter()
        .any(|name| program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == *name);
    // What stands before it are the interpreter's own options.
    let run = arguments.find(|argument| !argument.starts_with('-'));
    let run = run.filter(|file| {
        let at = std::path::Path::new(&format!("/proc/{pid}/cwd")).join(file);
        is_interpreter && at.is_file()
    });
    let run = run.map(base_name).map(|name| {
        let stem = [".js", ".mjs", ".cjs", ".py"]
            .iter()
            .find_map(|e| name.strip_suffix(e));
        stem.map_or_else(|| name.clone(), str::to_owned)
    });
    let names = [Some(base_name(&own)), Some(program), run];
    let names = names.into_iter().flatten();
    names.filter(|name| !name.is_empty()).collect()
}

/// Programs that run a file which they are given first, whatever number is behind their name.
#[cfg(target_os = "linux")]
const INTERPRETERS: [&str; 7] = ["node", "bun", "deno", "python", "bash", "sh", "dash"];

#[cfg(target_os = "linux")]
fn base_name(path: &str) -> String {
    let name = path.trim_end().rsplit('/').next();
    name.unwrap_or_default().to_owned()
}

/// Names under which the process may be known: nothing is known on this system.
#[cfg(not(target_os = "linux"))]
pub fn program_names(_pid: u32) -> Vec<String> {
    Vec::new()
}

/// Parses `proc_pid_stat(5)`. The second field is the program's own choice and may hold anything,
/// so the fields are counted from its last closing parenthesis.
#[cfg(any(target_os = "linux", test))]
fn parse_stat(pid: u32, stat: &str) -> Option<Facts> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let start_ticks = fields.nth(15)?.parse().ok()?;
    Some(Facts {
        pid,
        parent,
        session,
        start_ticks,
        ended: matches!(state, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b (c) S 7 42 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";

    #[test]
    fn a_program_cannot_forge_its_fields_by_its_name() {
        let facts = parse_stat(42, STAT).unwrap();
        assert_eq!(
            (facts.parent, facts.session, facts.start_ticks),
            (7, 9, 12_345)
        );
        assert!(!facts.ended);
        assert!(parse_stat(42, &STAT.replace(") S", ") Z")).unwrap().ended);
        assert_eq!(parse_stat(42, "42 (x) S 7"), None);
    }

    #[test]
    fn the_first_process_is_an_ancestor_in_its_own_session_only() {
        let pids_above = |session| {
            let facts = |pid: u32| {
                Some(Facts {
                    pid,
                    parent: pid.checked_sub(1)?,
                    session,
                    start_ticks: 100,
                    ended: false,
                })
            };
            let lineage = lineage_among(facts, 3);
            lineage.iter().map(|f| f.pid).collect::<Vec<_>>()
        };
        assert_eq!(pids_above(1), [3, 2, 1], "a container's shell");
        assert_eq!(pids_above(2), [3, 2], "an orphan that was adopted");
        assert_eq!(pids_above(0), [3, 2], "a session that began outside");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_a_lineage_and_a_name() {
        let me = std::process::id();
        let lineage = lineage(me);
        assert_eq!(lineage[0].pid, me);
        assert!(lineage.len() > 1, "a parent: {lineage:?}");
        assert!(is_running(me, lineage[0].start_ticks));
        assert!(!is_running(me, lineage[0].start_ticks + 1));
        assert!(!program_names(me).is_empty());
    }
}
