//! That an operator has frozen somebody, as people read it.

use ipc_protocol::request::{Freeze, Freezes, Frozen};
use ipc_protocol::time::Timestamp;

use super::times;

/// What the agent that is frozen is told: since when, that nothing is lost, and who ends it.
pub(crate) fn own(freeze: Freeze, now: Timestamp) -> String {
    let since = times::relative(freeze.since_ms, now);
    let (whom, thaw) = match freeze.whom {
        Frozen::Agent => ("", "thaw NAME"),
        Frozen::Everybody => ("with everybody, ", "thaw --all"),
    };
    format!(
        "{whom}by the operator, since {since}: stop and wait; mail waits too, until `ipc admin {thaw}`"
    )
}

/// How many are frozen; nothing where nobody is.
pub(crate) fn overview(freezes: &Freezes, now: Timestamp) -> Option<String> {
    let everybody = freezes.everybody_since_ms.map(|since| {
        let since = times::relative(since, now);
        format!("everybody, since {since}")
    });
    let agents = match freezes.agents {
        0 => None,
        1 => Some("1 agent by name".to_owned()),
        n => Some(format!("{n} agents by name")),
    };
    let hint = match agents {
        Some(_) => "`ipc admin freeze` shows who",
        None => "until `ipc admin thaw --all`",
    };
    let parts: Vec<_> = everybody.into_iter().chain(agents).collect();
    (!parts.is_empty()).then(|| format!("{} ({hint})", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_frozen_is_told_and_nothing_where_nobody_is() {
        let at = Timestamp::from_millis;
        assert_eq!(overview(&Freezes::default(), at(0)), None);
        let all = Freezes {
            agents: 2,
            everybody_since_ms: Some(at(0)),
            you: None,
        };
        let said = overview(&all, at(120_000)).unwrap();
        assert!(
            said.starts_with("everybody, since 2 min ago; 2 agents by name (`ipc admin freeze`"),
            "{said}"
        );
        let said = overview(&Freezes { agents: 0, ..all }, at(120_000)).unwrap();
        assert!(said.ends_with("(until `ipc admin thaw --all`)"), "{said}");
        let freeze = |whom| Freeze {
            whom,
            since_ms: at(0),
        };
        let said = own(freeze(Frozen::Everybody), at(120_000));
        assert!(
            said.starts_with("with everybody, by the operator, since 2 min ago:"),
            "{said}"
        );
        assert!(own(freeze(Frozen::Agent), at(0)).starts_with("by the operator"));
    }
}
