//! Names that are chosen: taken up, changed, given up for another.

use std::sync::Arc;

use ipc_protocol::name::Name;
use ipc_protocol::request::{Renamed, Whoami};

use super::{Agent, Desk, Welcome, blocking};
use crate::door::Wish;
use crate::failure::Failure;

impl Desk {
    /// Takes up a chosen name. An automatic name with an empty mailbox makes way; one with mail
    /// stays, and that is said.
    pub(crate) async fn take_up(
        self: &Arc<Self>,
        name: Name,
        takeover: bool,
    ) -> Result<Welcome, Failure> {
        let _alone = self.enrolling.lock().await;
        let wish = Wish::Chosen {
            name: name.clone(),
            takeover,
        };
        let Some(agent) = self.current_agent() else {
            return self.enrol_now(wish).await;
        };
        let is_same = self.is_called(&agent, &name).await;
        match (self.takeover(), takeover) {
            (Some(failure), false) if is_same => return Err(failure),
            (None, false) if is_same => {
                return match self.rejoin_now(name, false).await {
                    // The shared secret may still enrol where no credential does.
                    Err(failure) if failure.is_stale_credential() => self.enrol_now(wish).await,
                    other => other,
                };
            }
            (None, _) if !is_same => {}
            (Some(_) | None, _) => return self.enrol_now(wish).await,
        }
        if !agent.automatic {
            let message = format!("this agent is registered as {} already", agent.name);
            return Err(Failure::local(message).hint(format!(
                "call ipc_rename with new_name {name} to go by another name"
            )));
        }
        let is_known = {
            let (desk, name) = (Arc::clone(self), name.clone());
            blocking(move || Ok(desk.door.knows(&name))).await?
        };
        if !is_known {
            let renamed = self.rename_now(&agent, name).await?;
            return self.rejoin_now(renamed.name, false).await;
        }
        let welcome = self.enrol_now(wish).await?;
        let desk = Arc::clone(self);
        blocking(move || {
            desk.make_way(&agent);
            Ok(())
        })
        .await?;
        Ok(welcome)
    }

    /// Whether our agent goes by `name`: a command beside us may have renamed it.
    async fn is_called(self: &Arc<Self>, agent: &Agent, name: &Name) -> bool {
        if agent.name.same_as(name) {
            return true;
        }
        let who = self.call(Whoami {}).await;
        who.is_ok_and(|who| who.name.same_as(name))
    }

    /// Has our agent go by another name.
    pub(crate) async fn rename(self: &Arc<Self>, new_name: Name) -> Result<Renamed, Failure> {
        let agent = self.agent().await?;
        let _alone = self.enrolling.lock().await;
        self.rename_now(&agent, new_name).await
    }

    async fn rename_now(
        self: &Arc<Self>,
        agent: &Arc<Agent>,
        new_name: Name,
    ) -> Result<Renamed, Failure> {
        let (desk, agent) = (Arc::clone(self), Arc::clone(agent));
        let renamed = blocking(move || desk.door.rename(&agent.session, &agent.name, new_name));
        let renamed = renamed.await?;
        // What is kept for the agent has moved along with its name.
        self.rejoin_now(renamed.name.clone(), false).await?;
        Ok(renamed)
    }

    /// Registers again under the name that we have.
    pub(crate) async fn register_again(self: &Arc<Self>) -> Result<Welcome, Failure> {
        let agent = self.agent().await?;
        let _alone = self.enrolling.lock().await;
        if let Some(failure) = self.takeover() {
            return Err(failure);
        }
        self.rejoin_now(agent.name.clone(), agent.automatic).await
    }

    fn make_way(&self, before: &Agent) {
        let waiting = self
            .door
            .connect(&before.session)
            .and_then(|mut client| {
                let asked = client.call(&Whoami {});
                asked.map_err(|error| self.door.explain(error))
            })
            .map(|report| report.waiting);
        let name = &before.name;
        match waiting {
            Ok(0) => drop(self.door.leave(&before.session, before.id, name)),
            Ok(n) => self.note(format!(
                "{n} messages wait for {name}, as which this agent was registered before"
            )),
            Err(_) => {}
        }
    }
}
