//! From a request of the predecessor's to the native one that it stands for, and back.

use std::sync::Arc;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::message::Kind;
use ipc_protocol::name::{Name, Recipient};
use ipc_protocol::request::{
    Agents, List, RecipientOutcome, Rename, Renamed, Request, Send, Sent, SentTo,
};

use super::check::{self, Lent};
use super::native::ask;
use super::registration;
use super::session;
use super::wire::{Action, Fields, Given, Instance, Refused};
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::quota::Budget;

/// What a request came to, and the mail that is lent until the reply has been written. Not
/// printable: it may carry a token.
pub(super) struct Answer {
    pub(super) outcome: Result<Given, Refused>,
    pub(super) lent: Option<Lent>,
}

impl From<Result<Given, Refused>> for Answer {
    fn from(outcome: Result<Given, Refused>) -> Self {
        Self {
            outcome,
            lent: None,
        }
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        Err(refused).into()
    }
}

/// Answers the request in `fields`.
pub(super) async fn answer(fields: Fields, daemon: &Arc<Daemon>) -> Answer {
    daemon
        .old_port
        .usage
        .request(daemon.shared.clock.now().wall);
    let action = fields.text("action").ok().and_then(Action::parse);
    let Some(action) = action else {
        return Refused::ACTION.into();
    };
    if action == Action::Register {
        return registration::register(&fields, daemon).await.into();
    }
    let caller = match caller(action, &fields, daemon).await {
        Ok(caller) => caller,
        Err(refused) => return refused.into(),
    };
    match action {
        Action::Check => match check::check(&caller, daemon).await {
            Ok((messages, lent)) => Answer {
                outcome: Ok(Given::Messages { messages }),
                lent,
            },
            Err(refused) => refused.into(),
        },
        Action::Send => send(fields, &caller, daemon).await.into(),
        Action::Broadcast => broadcast(fields, &caller, daemon).await.into(),
        Action::List => list(&caller, daemon).await.into(),
        Action::Rename => rename(&fields, &caller, daemon).await.into(),
        Action::Register => Refused::ACTION.into(),
    }
}

async fn caller(action: Action, fields: &Fields, daemon: &Daemon) -> Result<Caller, Refused> {
    let token = fields.text("session_token").map_err(|_| Refused::SESSION)?;
    let claimed = match action.subject() {
        Some(field) => fields.text_if_any(field)?,
        None => None,
    };
    session::caller(token, claimed, daemon).await
}

/// A request whose fields are wrong costs what reading does.
fn charged(refused: Refused, caller: &Caller, daemon: &Daemon) -> Refused {
    match daemon.quotas.charge(caller.agent(), Budget::Read) {
        Ok(()) => refused,
        Err(refusal) => {
            daemon.shared.counters.refused(&refusal);
            refusal.into()
        }
    }
}

async fn send(fields: Fields, caller: &Caller, daemon: &Arc<Daemon>) -> Result<Given, Refused> {
    let wrong = |refused| charged(refused, caller, daemon);
    let to = fields.text("to_id").map_err(wrong)?;
    let to: Recipient = to.parse().map_err(|_| wrong(Refused::RECIPIENT))?;
    let request = message(fields, to.clone()).map_err(wrong)?;
    let sent: Result<Sent, Refusal> = ask(request, caller, daemon).await;
    if to == Recipient::All {
        return told_of_broadcast(sent);
    }
    let sent = sent.map_err(|refusal| match (refusal.code, &to) {
        (ErrorCode::MailboxFull, Recipient::Name(name)) => {
            let text = format!("Message queue full for {name} (100 message limit)");
            Refused(text.into())
        }
        _ => refusal.into(),
    })?;
    let to = sent.recipients.first();
    Ok(Given::done(to.map_or_else(String::new, told_of_sending)))
}

fn told_of_sending(to: &SentTo) -> String {
    let name = &to.name;
    match &to.outcome {
        RecipientOutcome::Stored => "Message sent".to_owned(),
        RecipientOutcome::Forwarded { from } => format!("Message forwarded from {from} to {name}"),
        RecipientOutcome::Unclaimed { .. } => {
            format!("Message queued for {name} (not yet registered)")
        }
        RecipientOutcome::Held => format!("Message held until {name} allows you"),
        // Of groups only, which this wire cannot name.
        RecipientOutcome::LeftOut { .. } => format!("Message not sent to {name}"),
    }
}

async fn broadcast(
    fields: Fields,
    caller: &Caller,
    daemon: &Arc<Daemon>,
) -> Result<Given, Refused> {
    let request = message(fields, Recipient::All);
    let request = request.map_err(|refused| charged(refused, caller, daemon))?;
    told_of_broadcast(ask(request, caller, daemon).await)
}

fn told_of_broadcast(sent: Result<Sent, Refusal>) -> Result<Given, Refused> {
    let number = match sent {
        Ok(sent) => sent.recipients.len(),
        // The predecessor knew no broadcast that reaches nobody as an error.
        Err(refusal) if refusal.code == ErrorCode::UnknownRecipient => 0,
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(Given::done(format!("Broadcast to {number} instances")))
}

fn message(fields: Fields, to: Recipient) -> Result<Request, Refused> {
    let (text, data) = fields.message()?;
    Ok(Request::Send(Send {
        to,
        text,
        kind: Kind::Message,
        data,
        reply_to: None,
        idempotency_key: None,
        known_only: false,
    }))
}

async fn list(caller: &Caller, daemon: &Arc<Daemon>) -> Result<Given, Refused> {
    let listed: Agents = ask(Request::List(List::default()), caller, daemon).await?;
    let local_time = &daemon.old_port.local_time;
    let instance = |row: ipc_protocol::request::AgentRow| Instance {
        id: row.name.into(),
        last_seen: local_time.iso(row.last_seen_ms).unwrap_or_default(),
    };
    Ok(Given::Instances {
        instances: listed.agents.into_iter().map(instance).collect(),
    })
}

async fn rename(fields: &Fields, caller: &Caller, daemon: &Arc<Daemon>) -> Result<Given, Refused> {
    let new = fields.text("new_id").and_then(|text| {
        let name = Name::parse(text);
        name.map_err(|_| Refused::NEW_NAME)
    });
    let new_name = new.map_err(|refused| charged(refused, caller, daemon))?;
    let request = Request::Rename(Rename {
        new_name: new_name.clone(),
    });
    let renamed: Result<Renamed, Refusal> = ask(request, caller, daemon).await;
    let renamed = renamed.map_err(|refusal| match (refusal.code, refusal.retry_after_ms) {
        (ErrorCode::NameInUse, _) => Refused(format!("Instance {new_name} already exists").into()),
        // Longer than any rate makes one wait: the time between two renames.
        (ErrorCode::RateLimited, Some(wait_ms)) if wait_ms > 60_000 => {
            let minutes = wait_ms.div_ceil(60_000);
            Refused(format!("Rate limit: can rename again in {minutes} minutes").into())
        }
        _ => refusal.into(),
    })?;
    let Renamed { old_name, name, .. } = renamed;
    Ok(Given::done(format!("Renamed {old_name} to {name}")))
}
