//! `ipc notices`: a line in the project's CLAUDE.md that says what waits when a session begins.

use ipc_protocol::request::{Notices, NoticesAction};

use crate::args::NoticesCommand;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::notices::{self, ProjectNotices, Standing};

/// Switches them, or shows how it stands.
pub(crate) fn run(context: &mut Context, command: &NoticesCommand) -> Result<ExitStatus, Failure> {
    let action = match command {
        NoticesCommand::On => NoticesAction::On,
        NoticesCommand::Off => NoticesAction::Off,
        NoticesCommand::Status => NoticesAction::Status,
    };
    let mut front = Front::open(context)?;
    let (data_dir, project) = (context.data_dir.clone(), context.project());
    let notices = ProjectNotices {
        data_dir: &data_dir,
        agent: front.agent_id,
        project: project.as_deref(),
    };
    let mut call = |action| front.call_again(context, &Notices { action });
    let standing = notices.switch(action, &mut call)?;
    let people = || people(front.name.as_str(), &standing);
    if action == NoticesAction::Status {
        context.screen.result(&standing, people)?;
    } else {
        context.screen.confirm(&standing, people)?;
    }
    if action == NoticesAction::On {
        context.screen.note(&format!("note: {}", notices::ABOUT));
    }
    Ok(ExitStatus::Done)
}

fn people(name: &str, standing: &Standing) -> String {
    match (standing.report.on, &standing.imported_in) {
        (true, Some(path)) => format!(
            "notices for {name} are on: {} reads what waits when a session begins\n",
            path.display()
        ),
        (true, None) => format!(
            "notices for {name} are on, and no CLAUDE.md reads them; `ipc notices on` in the \
             project's folder puts the line in\n"
        ),
        (false, _) => format!("notices for {name} are off\n"),
    }
}
