//! `ipc hook`: what an agent's host runs at its events, so that the agent hears of waiting mail.
//!
//! A host waits for its hooks, and puts before the agent what they print. So this is quick, holds
//! nothing up, says one fixed sentence or nothing, and meets every trouble (no daemon, no agent, a
//! sandbox, garbage) with silence and status 0. It starts no daemon and makes no file but the lock
//! of `--rewake`. Of the host's JSON two fields are looked at, and nothing is repeated.

mod host;
mod input;
mod rewake;

use ipc_protocol::request::{Notice, Offline, ReadsWith};

use crate::args::HookArguments;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use host::Event;
use input::Input;
pub(crate) use input::hear_out;

/// Does what the event asks for. Failures are for `main` to swallow.
pub(crate) fn run(context: &mut Context, arguments: &HookArguments) -> Result<ExitStatus, Failure> {
    let Some(input) = Input::read() else {
        return Ok(ExitStatus::Done);
    };
    let Some(event) = host::event(arguments.host, &arguments.event) else {
        return Ok(ExitStatus::Done);
    };
    let with = if arguments.cli {
        ReadsWith::CommandLine
    } else {
        ReadsWith::Tool
    };
    if arguments.rewake {
        return rewake::run(context, event, arguments.patience.duration(), with);
    }
    if event == Event::End {
        // A session that is cleared or resumed goes on.
        if !input.goes_on {
            Front::open_at_once(context)?.call(&Offline {})?;
        }
        return Ok(ExitStatus::Done);
    }
    // A notice that the host would drop, or that a part of the agent would hear, stays untold.
    if event == Event::Stop && input.stop_hook_active || input.is_subagent {
        return Ok(ExitStatus::Done);
    }
    let request = Notice {
        tell: true,
        afresh: event == Event::Start,
        ..Notice::default()
    };
    let report = Front::open_at_once(context)?.call(&request)?;
    if report.is_due {
        let answer = host::answer(
            arguments.host,
            event,
            &arguments.event,
            &report.sentence(with),
        );
        context.screen.show(&format!("{answer}\n"))?;
    }
    Ok(ExitStatus::Done)
}
