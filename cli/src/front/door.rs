//! The MCP server's way to the daemon: names, credentials and autostart as the commands have them.
//!
//! A name that nobody chose is made from the project's folder. Whoever is started in that folder
//! again comes back to the agent that worked there, unless a live window has it: then it is
//! NAME-2 and so on. An agent of another folder of the same name is never taken up.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ipc_mcp::{Door, Enrolment, Failure, SharedFile, Wish};
use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, ClientError, UnknownHost};
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::limits::NAME_CHARS;
use ipc_protocol::name::Name;
use ipc_protocol::paths::DataDir;
use ipc_protocol::request::{Describe, Notices, NoticesAction, Renamed, Unregister, WhenLive};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::enrol::{self, Claim};
use super::{OwnFront, mailbox, session};
use crate::commands::{agent, rename};
use crate::context::Context;
use crate::failure;
use crate::notices::{self, ProjectNotices};
use crate::share::Shares;

/// Windows in one folder that get a name of their own, at most.
const WINDOWS: u32 = 64;

/// What an agent is called whose folder makes no name.
const NAMELESS: &str = "agent";

/// The way to the daemon of this context.
#[derive(Debug)]
pub(crate) struct McpDoor {
    data_dir: DataDir,
    project: Option<PathBuf>,
    /// As it was configured when the server started: what is changed meanwhile waits for the next.
    shares: Result<Shares, Failure>,
    context: Mutex<Context>,
    /// Of its own: drawing from it waits for nobody who waits for the daemon.
    random: Mutex<StdRng>,
}

impl McpDoor {
    /// A door for the host that started this process.
    pub(crate) fn new(mut context: Context) -> Self {
        context.unknown_host = UnknownHost::Parent;
        Self {
            data_dir: context.data_dir.clone(),
            project: context.project(),
            shares: Shares::load(&context).map_err(for_model),
            random: Mutex::new(StdRng::from_rng(&mut context.random)),
            context: Mutex::new(context),
        }
    }

    fn context(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configured name. Another window that has it keeps it: hooks and commands of this one
    /// would act for it, so that taking another name here would part them.
    fn configured(
        &self,
        context: &mut Context,
        name: &Name,
    ) -> Result<Enrolment, failure::Failure> {
        let taken = self.take(context, name, WhenLive::Refuse, false);
        taken.map_err(|failure| match failure.code {
            Some(ErrorCode::NameInUse) => failure.hint(format!(
                "another window has IPC_INSTANCE={name} too: give this one another, or call \
                 ipc_register with name {name} and takeover true"
            )),
            _ => failure,
        })
    }

    fn automatic(&self, context: &mut Context) -> Result<Enrolment, failure::Failure> {
        let mut refused = None;
        for name in self.candidates(context)? {
            // A name that was chosen in this folder once is no automatic one now.
            let made = fresh_names(self.project.as_deref()).any(|made| made.same_as(&name));
            match self.take(context, &name, WhenLive::Refuse, made) {
                Err(failure) if is_taken(&failure) => refused = Some(failure),
                other => return other,
            }
        }
        Err(refused.unwrap_or_else(|| failure::Failure::local("no name is left for this folder")))
    }

    /// Refuses an agent that was never at work in this folder. The credentials of all of a user's
    /// agents are within our reach, and whoever calls a tool may be talked into it by a peer: a
    /// person decides, by configuring the name.
    fn check_is_ours(&self, context: &Context, name: &Name) -> Result<(), failure::Failure> {
        let kept = context.agent_files().follow(name)?;
        let is_foreign = kept.is_some_and(|record| record.project != self.project);
        let configured = context.configured_name()?;
        if !is_foreign || configured.is_some_and(|configured| configured.same_as(name)) {
            return Ok(());
        }
        let failure = failure::Failure {
            code: Some(ErrorCode::Forbidden),
            ..failure::Failure::local(format!("{name} is an agent of another folder or terminal"))
        };
        Err(failure.hint(format!(
            "choose another name; a person who wants {name} here starts this agent with \
             IPC_INSTANCE={name}"
        )))
    }

    /// Names to try: of the agents that worked in this folder before, then new ones.
    fn candidates(&self, context: &Context) -> Result<Vec<Name>, failure::Failure> {
        let kept = context.agent_files().all()?;
        let taken: Vec<_> = kept.iter().map(|record| record.name.clone()).collect();
        let is_kept = |name: &Name| taken.iter().any(|kept| kept.same_as(name));
        let fresh = fresh_names(self.project.as_deref());
        let here = match &self.project {
            Some(project) => mailbox::of_folder(kept, project),
            None => Vec::new(),
        };
        let mut names: Vec<_> = here.into_iter().map(|record| record.name).collect();
        names.extend(fresh.filter(|name| !is_kept(name)));
        Ok(names)
    }

    fn take(
        &self,
        context: &mut Context,
        name: &Name,
        when_live: WhenLive,
        automatic: bool,
    ) -> Result<Enrolment, failure::Failure> {
        let claim = Claim {
            name,
            when_live,
            automatic,
            project: self.project.clone(),
            says: Describe::default(),
        };
        let enrolled = enrol::register(context, claim);
        let enrolled = enrolled.map_err(|failure| in_tools_words(failure, context, name))?;
        let own = OwnFront::of(context, &enrolled.name)?;
        Ok(enrolment(own, automatic))
    }
}

fn enrolment(own: OwnFront, automatic: bool) -> Enrolment {
    let (agent_id, incarnation) = (own.front.agent_id, own.incarnation);
    let name = own.front.name.clone();
    let (waiting, online) = (own.waiting, own.online.clone());
    let (session, client) = own.into_parts();
    Enrolment {
        agent_id,
        incarnation,
        name,
        automatic,
        waiting,
        online,
        session,
        client,
    }
}

/// What helps where a name is in use, in words of the tools: only an agent whose credential is kept
/// here can be taken over.
fn in_tools_words(failure: failure::Failure, context: &Context, name: &Name) -> failure::Failure {
    if failure.code != Some(ErrorCode::NameInUse) {
        return failure;
    }
    match context.agent_files().follow(name) {
        Ok(Some(_)) => failure.hint("choose another name, or call ipc_register with takeover true"),
        Ok(None) | Err(_) => failure.hint("choose another name"),
    }
}

fn is_taken(failure: &failure::Failure) -> bool {
    matches!(
        failure.code,
        Some(ErrorCode::NameInUse | ErrorCode::NameReserved)
    )
}

/// `folder`, `folder-2`, `folder-3` and so on, as names can be written.
fn fresh_names(project: Option<&Path>) -> impl Iterator<Item = Name> {
    let folder = project.and_then(Path::file_name);
    let folder = folder.map(|name| name.to_string_lossy().into_owned());
    let base = slug(&folder.unwrap_or_default());
    (1..=WINDOWS).filter_map(move |window| {
        let text = match window {
            1 => base.clone(),
            _ => format!("{base}-{window}"),
        };
        Name::parse(&text).ok()
    })
}

/// What of a folder's name can stand in ours, with room for the number of a window.
fn slug(folder: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    let all: String = folder.chars().map(letter).collect();
    let parts: Vec<_> = all.split('-').filter(|part| !part.is_empty()).collect();
    let room = NAME_CHARS.saturating_sub("-64".len());
    let text: String = parts.join("-").chars().take(room).collect();
    let text = text.trim_end_matches('-').to_owned();
    match Name::parse(&text) {
        Ok(_) => text,
        Err(_) => NAMELESS.to_owned(),
    }
}

impl Door for McpDoor {
    fn enrol(&self, wish: &Wish) -> Result<Enrolment, Failure> {
        let mut context = self.context();
        let enrolled = match wish {
            Wish::Chosen { name, takeover } => {
                let when_live = match takeover {
                    true => WhenLive::TakeOver,
                    false => WhenLive::Refuse,
                };
                self.check_is_ours(&context, name)
                    .and_then(|()| self.take(&mut context, name, when_live, false))
            }
            Wish::Automatic => match context.configured_name() {
                Ok(Some(name)) => self.configured(&mut context, &name),
                Ok(None) => self.automatic(&mut context),
                Err(failure) => Err(failure),
            },
        };
        enrolled.map_err(for_model)
    }

    fn rejoin(&self, name: &Name) -> Result<Enrolment, Failure> {
        let mut context = self.context();
        let own = OwnFront::of(&mut context, name).map_err(for_model)?;
        Ok(enrolment(own, false))
    }

    fn knows(&self, name: &Name) -> bool {
        let kept = self.context().agent_files().follow(name);
        kept.is_ok_and(|record| record.is_some_and(|record| record.name.same_as(name)))
    }

    fn connect(&self, session: &Credential) -> Result<Client<UnixStream>, Failure> {
        session::prove(&mut self.context(), session).map_err(for_model)
    }

    fn connect_running(&self, session: &Credential) -> Result<Client<UnixStream>, Failure> {
        session::prove_running(&mut self.context(), session).map_err(for_model)
    }

    fn rename(
        &self,
        session: &Credential,
        name: &Name,
        new_name: Name,
    ) -> Result<Renamed, Failure> {
        let mut context = self.context();
        let mut client = session::prove(&mut context, session).map_err(for_model)?;
        let files = context.agent_files();
        // A command beside us may have renamed the agent.
        let now = files
            .follow(name)
            .map_err(|error| for_model(error.into()))?;
        let now = now.map_or_else(|| name.clone(), |record| record.name);
        let renamed = rename::rename(&files, &now, new_name, |request| {
            client.call(request).map_err(failure::Failure::from)
        });
        renamed.map_err(for_model)
    }

    fn leave(&self, session: &Credential, agent_id: AgentId, name: &Name) -> Result<(), Failure> {
        let mut context = self.context();
        let mut client = session::prove(&mut context, session).map_err(for_model)?;
        let left = client
            .call(&Unregister {})
            .map_err(|error| self.explain(error))?;
        let forgotten = agent::forget(&context.agent_files(), agent_id, [name, &left.name]);
        forgotten.map_err(for_model)
    }

    fn shared_file(&self, path: &str) -> Result<SharedFile, Failure> {
        let shares = self.shares.as_ref().map_err(Clone::clone)?;
        shares
            .read(Path::new(path))
            .map_err(|error| for_model(error.into()))
    }

    fn switch_notices(
        &self,
        session: &Credential,
        agent_id: AgentId,
        on: bool,
    ) -> Result<String, Failure> {
        let mut context = self.context();
        let mut client = session::prove(&mut context, session).map_err(for_model)?;
        let notices = ProjectNotices {
            data_dir: &self.data_dir,
            agent: agent_id,
            project: self.project.as_deref(),
        };
        let action = if on {
            NoticesAction::On
        } else {
            NoticesAction::Off
        };
        let mut call = |action| {
            client
                .call(&Notices { action })
                .map_err(failure::Failure::from)
        };
        notices.switch(action, &mut call).map_err(for_model)?;
        Ok(match action {
            NoticesAction::On => format!("notices are on; tell your user: {}", notices::ABOUT),
            NoticesAction::Off | NoticesAction::Status => "notices are off".to_owned(),
        })
    }

    fn explain(&self, error: ClientError) -> Failure {
        for_model(error.into())
    }

    fn data_dir(&self) -> &DataDir {
        &self.data_dir
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.fill_bytes(&mut bytes);
        bytes
    }
}

/// What a command would say, for whoever calls a tool.
fn for_model(failure: failure::Failure) -> Failure {
    let hint = match failure.code {
        Some(ErrorCode::TakenOver) => Some(
            "another window took this name over; call ipc_register with takeover true to take it \
             back, or with another name"
                .to_owned(),
        ),
        Some(ErrorCode::Unauthenticated | ErrorCode::Expired) => {
            Some("call ipc_register with the name that this agent had".to_owned())
        }
        Some(_) | None => failure.hint,
    };
    Failure {
        code: failure.code,
        message: failure.message,
        hint,
        retry_after_ms: failure.retry_after_ms,
        is_lost: failure.is_lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_a_name() {
        assert_eq!(slug("my-app_2"), "my-app_2");
        assert_eq!(slug("  Größe & Co. "), "Gr-e-Co");
        assert_eq!(slug("all"), NAMELESS, "reserved");
        assert_eq!(slug("..."), NAMELESS);
        assert_eq!(slug(&"x".repeat(99)).len(), NAME_CHARS - 3);
    }

    #[test]
    fn every_window_of_a_folder_has_a_name_of_its_own() {
        let long = format!("/home/me/{}", "y".repeat(80));
        let names: Vec<_> = fresh_names(Some(Path::new(&long))).collect();
        assert_eq!(names.len(), 64);
        assert!(names.iter().all(|name| name.as_str().len() <= NAME_CHARS));
        let at_root: Vec<_> = fresh_names(Some(Path::new("/"))).take(2).collect();
        assert_eq!(
            at_root.iter().map(Name::as_str).collect::<Vec<_>>(),
            ["agent", "agent-2"]
        );
    }
}
