//! `ipc register`: get a name, or come back to it.

use ipc_protocol::name::Name;
use ipc_protocol::request::WhenLive;

use super::describe;
use crate::args::RegisterArguments;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::enrol::{self, Enrolled};
use crate::output::lines::Lines;

/// Registers, and says who is here and how much mail waits.
pub(crate) fn run(
    context: &mut Context,
    arguments: &RegisterArguments,
) -> Result<ExitStatus, Failure> {
    if context
        .acting_as
        .as_ref()
        .is_some_and(|name| !name.same_as(&arguments.name))
    {
        return Err(Failure::usage(
            "`--as` names another agent than the one to register",
        ));
    }
    let when_live = if arguments.takeover {
        WhenLive::TakeOver
    } else {
        WhenLive::Refuse
    };
    let says = describe::with_name(&arguments.profile)?;
    let enrolled = enrol::enrol(context, &arguments.name, when_live, says)?;
    context.screen.confirm(&enrolled, || people(&enrolled))?;
    Ok(ExitStatus::Done)
}

fn people(enrolled: &Enrolled) -> String {
    let mut lines = Lines::default();
    lines.add(format!("registered as {}", enrolled.name));
    let online: Vec<_> = enrolled.online.iter().map(Name::as_str).collect();
    if online.is_empty() {
        lines.add("nobody else is here");
    } else {
        lines.add(format!("here: {}", online.join(", ")));
    }
    match enrolled.waiting {
        0 => {}
        1 => lines.add("1 message waits: `ipc check`"),
        n => lines.add(format!("{n} messages wait: `ipc check`")),
    }
    lines.into_text()
}

#[cfg(test)]
mod tests {
    use ipc_protocol::id::AgentId;
    use ipc_protocol::time::Timestamp;

    use super::*;

    #[test]
    fn who_is_here_and_what_waits_is_said() {
        let enrolled = Enrolled {
            agent_id: AgentId::from_row(1),
            name: Name::parse("alice").unwrap(),
            incarnation: 1,
            waiting: 2,
            online: vec![Name::parse("bob").unwrap()],
            session_expires_ms: Timestamp::from_millis(0),
        };
        assert_eq!(
            people(&enrolled),
            "registered as alice\nhere: bob\n2 messages wait: `ipc check`\n"
        );
    }
}
