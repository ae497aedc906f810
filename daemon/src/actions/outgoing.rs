//! Storing a message, whichever request it came by: resolve, check, insert, whole or not at all.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::{AgentId, MessageId};
use ipc_protocol::message::{Data, Kind};
use ipc_protocol::name::{Name, Recipient};
use ipc_protocol::request::{RecipientOutcome, Sent, SentTo};
use ipc_protocol::token::contains_token;

use super::{boundaries, list, sender};
use crate::caller::Caller;
use crate::error::{Done, Fault, refuse};
use crate::store::boundaries as held;
use crate::store::context::{Context, Effect, View};
use crate::store::deliveries::{self, Destination, Way};
use crate::store::messages::{self, Draft, Parent, Seq};
use crate::store::names::{self, Holder};

/// Replies between two agents are counted over this time, in milliseconds.
const ANSWERS_MS: i64 = 600_000;

/// A message on its way into the store, whichever request it came by.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) to: &'a Recipient,
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) data: Option<&'a Data>,
    /// The message that this one answers or passes on.
    pub(crate) parent: Option<&'a Parent>,
    /// Whether it passes its parent on rather than answering it.
    pub(crate) passes_on: bool,
    pub(crate) known_only: bool,
}

/// Stores `mail` from `caller`, whole or not at all.
pub(crate) fn store(
    mail: &Outgoing<'_>,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<(Sent, Seq)> {
    check_body(mail, context)?;
    let destinations = destinations(mail, caller, context)?;
    let destinations = boundaries::admit(mail, destinations, caller.agent(), context)?;
    check_room(&destinations, caller.agent(), context)?;
    let hops = hops(mail, &destinations, caller, context)?;
    let draft = Draft {
        kind: mail.kind,
        text: mail.text,
        data: mail.data,
        reply_to: mail
            .parent
            .filter(|_| !mail.passes_on)
            .map(|parent| parent.id),
        hops,
    };
    let sender = sender::of(context, caller.agent())?;
    let (message_id, seq) = messages::insert(context, caller, &sender, &draft)?;
    for to in &destinations {
        deliveries::insert(context, seq, Some(caller.agent()), to)?;
    }
    if let Some(parent) = mail.parent.filter(|_| !mail.passes_on) {
        deliveries::answered(context, caller.agent(), parent.seq)?;
    }
    context.effects.push(Effect::Stored);
    Ok((sent(context, message_id, &destinations)?, seq))
}

fn sent(context: &Context<'_>, message_id: MessageId, destinations: &[Destination]) -> Done<Sent> {
    let mut recipients = Vec::with_capacity(destinations.len());
    for to in destinations {
        let outcome = match (to.agent, &to.via_alias) {
            (Some(_), _) if to.way == Way::Held => RecipientOutcome::Held,
            (None, _) => RecipientOutcome::Unclaimed {
                did_you_mean: names::nearest(context.db, &to.name)?,
            },
            (Some(_), Some(from)) => RecipientOutcome::Forwarded { from: from.clone() },
            (Some(_), None) => RecipientOutcome::Stored,
        };
        recipients.push(SentTo {
            name: to.name.clone(),
            outcome,
        });
    }
    Ok(Sent {
        message_id,
        sent_ms: context.now.wall,
        recipients,
        duplicate: false,
    })
}

fn check_body(mail: &Outgoing<'_>, view: &View<'_>) -> Done<()> {
    let draft = Draft {
        kind: mail.kind,
        text: mail.text,
        data: mail.data,
        reply_to: None,
        hops: 0,
    };
    let data = draft.data_text()?.unwrap_or_default();
    let bytes = mail.text.len().saturating_add(data.len());
    if mail.text.is_empty() {
        return refuse(
            ErrorCode::Malformed,
            "the message is empty",
            "give it a text",
        );
    }
    if u32::try_from(bytes).map_or(true, |bytes| bytes > view.limits.body_bytes) {
        let text = format!(
            "the message is larger than {} bytes",
            view.limits.body_bytes
        );
        let hint = "put it into a file that the recipient can read, and send the path";
        return Err(Refusal::new(ErrorCode::TooLarge, text).hint(hint).into());
    }
    if contains_token(mail.text) || contains_token(&data) {
        return refuse(
            ErrorCode::Forbidden,
            "the message holds a token of this program; it was not stored",
            "take the token out; nobody but its agent may have it",
        );
    }
    Ok(())
}

fn destinations(
    mail: &Outgoing<'_>,
    caller: &Caller,
    context: &Context<'_>,
) -> Done<Vec<Destination>> {
    match mail.to {
        Recipient::All => everybody(caller, context),
        Recipient::Name(name) => Ok(vec![by_name(mail, name, context)?]),
        Recipient::Agent(id) => match names::current(context.db, *id)? {
            Some(name) => Ok(vec![Destination {
                agent: Some(*id),
                name,
                via_alias: None,
                way: Way::Rings,
            }]),
            None => refuse(
                ErrorCode::UnknownRecipient,
                "no agent has this id",
                "`ipc list` shows who is there",
            ),
        },
    }
}

fn by_name(mail: &Outgoing<'_>, name: &Name, context: &Context<'_>) -> Done<Destination> {
    let to = |agent, name, via_alias| {
        Ok(Destination {
            agent,
            name,
            via_alias,
            way: Way::Rings,
        })
    };
    let current = |id: AgentId| -> Done<Name> {
        Ok(names::current(context.db, id)?.ok_or(Fault::Inconsistent("an agent, no name"))?)
    };
    match names::holder(context, name)? {
        Holder::Agent(id) => to(Some(id), current(id)?, None),
        Holder::Alias { agent, .. } => to(Some(agent), current(agent)?, Some(name.clone())),
        Holder::Nobody if mail.known_only => {
            let hint = match names::nearest(context.db, name)? {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`ipc list` shows who is there".to_owned(),
            };
            let text = format!("nobody has the name `{name}`");
            Err(Refusal::new(ErrorCode::UnknownRecipient, text)
                .hint(hint)
                .into())
        }
        Holder::Nobody => to(None, name.clone(), None),
    }
}

fn everybody(caller: &Caller, context: &Context<'_>) -> Done<Vec<Destination>> {
    let others = list::recent(context, Some(caller.agent()))?;
    let most = context.limits.broadcast_recipients;
    if others.is_empty() {
        return Err(nobody_here().into());
    }
    if u32::try_from(others.len()).map_or(true, |number| number > most) {
        let text = format!("a broadcast reaches at most {most} agents, and more are here");
        let hint = "send to those whom it concerns; nobody was sent anything";
        return Err(Refusal::new(ErrorCode::TooLarge, text).hint(hint).into());
    }
    let to = |(agent, name)| Destination {
        agent: Some(agent),
        name,
        via_alias: None,
        way: Way::Rings,
    };
    Ok(others.into_iter().map(to).collect())
}

/// What is told when a broadcast would reach nobody.
pub(super) fn nobody_here() -> Refusal {
    let text = "nobody else has been here in the last 24 hours";
    Refusal::new(ErrorCode::UnknownRecipient, text).hint("`ipc list` shows who is there")
}

fn check_room(destinations: &[Destination], sender: AgentId, context: &Context<'_>) -> Done<()> {
    let limits = context.limits;
    for to in destinations {
        let (all, own) = match to.agent {
            Some(agent) if to.way == Way::Held => held::waiting(context.db, agent, sender)?,
            Some(agent) => deliveries::waiting_for(context.db, agent, sender)?,
            None => deliveries::waiting_for_name(context.db, &to.name, sender)?,
        };
        if all >= limits.mailbox_unread || own >= limits.mailbox_unread_per_sender {
            let text = format!("the mailbox of `{}` has no room for more from you", to.name);
            let hint = "wait until its owner has read some; nothing was stored";
            return Err(Refusal::new(ErrorCode::MailboxFull, text).hint(hint).into());
        }
        if to.agent.is_none() {
            let others = deliveries::other_unclaimed_names(context.db, &to.name, sender)?;
            if others >= limits.unclaimed_names_per_sender {
                return refuse(
                    ErrorCode::MailboxFull,
                    "your mail waits for too many names that nobody has",
                    "`ipc list` shows who is there; wait until one of those names is claimed",
                );
            }
        }
    }
    Ok(())
}

/// How often the message has been passed on to a third agent, this time counted.
fn hops(
    mail: &Outgoing<'_>,
    destinations: &[Destination],
    caller: &Caller,
    context: &Context<'_>,
) -> Done<u32> {
    let Some(parent) = mail.parent else {
        return Ok(0);
    };
    let own = parent.sender == Some(caller.agent());
    let back = |to: &Destination| to.agent.is_some() && to.agent == parent.sender;
    if !mail.passes_on && (own || destinations.iter().all(back)) {
        if !own {
            check_answers(parent, caller, context)?;
        }
        return Ok(parent.hops);
    }
    let hops = parent.hops.saturating_add(1);
    if hops > context.limits.hops {
        return refuse(
            ErrorCode::LoopDetected,
            "this message has been passed on too often",
            "stop passing it on; if it still matters, write a new message",
        );
    }
    Ok(hops)
}

fn check_answers(parent: &Parent, caller: &Caller, context: &Context<'_>) -> Done<()> {
    let Some(other) = parent.sender else {
        return Ok(());
    };
    let most = context.limits.pair_answers_per_10_minutes;
    let since = context.now.wall.plus_millis(-ANSWERS_MS);
    let answers = messages::answers_between(context.db, caller.agent(), other, since, most)?;
    if answers >= most {
        return refuse(
            ErrorCode::LoopDetected,
            "you two have answered each other too often in ten minutes",
            "stop answering; a new message (not a reply) is still possible if it matters",
        );
    }
    Ok(())
}
