//! Storing a message, whichever request it came by: resolve, check, insert, whole or not at all.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::message::{Data, EndReason, Kind};
use ipc_protocol::name::{Name, Recipient};
use ipc_protocol::request::{RecipientOutcome, Sent, SentTo};
use ipc_protocol::token::contains_token;

use super::{boundaries, kinds, list, sender, talk};
use crate::caller::Caller;
use crate::error::{Done, Fault, refuse};
use crate::limits::PINGS_DROPPED;
use crate::secrets;
use crate::store::asked;
use crate::store::boundaries as held;
use crate::store::context::{Context, Effect, View};
use crate::store::deliveries::{self, Destination, Way};
use crate::store::messages::{self, Draft, Parent, Seq};
use crate::store::names::{self, Holder};
use crate::store::pings;
use crate::wanted::Envelope;

/// Replies between two agents are counted over this time, in milliseconds.
pub(super) const ANSWERS_MS: i64 = 600_000;

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
    /// Whether it answers and more of the answer comes.
    pub(crate) interim: bool,
    pub(crate) known_only: bool,
}

/// Stores `mail` from `caller`, whole or not at all.
pub(crate) fn store(
    mail: &Outgoing<'_>,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<(Sent, Seq)> {
    let clean = secrets::clean(mail.text, mail.data, context.secrets)?;
    let mail = Outgoing {
        text: &clean.text,
        data: clean.data.as_deref(),
        ..*mail
    };
    let (mut sent, seq) = store_clean(&mail, caller, context)?;
    sent.masked = clean.masked.into_iter().collect();
    Ok((sent, seq))
}

/// The same for what holds no credential any more.
fn store_clean(
    mail: &Outgoing<'_>,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<(Sent, Seq)> {
    check_body(mail, context)?;
    let destinations = destinations(mail, caller, context)?;
    kinds::check(mail, &destinations, caller, context)?;
    let mut destinations = boundaries::admit(mail, destinations, caller.agent(), context)?;
    check_room(mail.to, &mut destinations, caller.agent(), context)?;
    let hops = hops(mail, &destinations, caller, context)?;
    let sender = sender::of(context, caller.agent())?;
    let conversation = talk::place(mail.to, &destinations, caller, context)?;
    let draft = Draft {
        kind: mail.kind,
        text: mail.text,
        data: mail.data,
        reply_to: mail
            .parent
            .filter(|_| !mail.passes_on)
            .map(|parent| parent.id),
        conversation,
        hops,
        interim: mail.interim,
    };
    let (message_id, seq) = messages::insert(context, caller, &sender, &draft)?;
    let envelope = Envelope {
        sender: Some(caller.agent()),
        conversation: draft.conversation,
        kind: mail.kind,
        reply_to: draft.reply_to,
    };
    for to in &destinations {
        deliveries::insert(context, seq, &envelope, to)?;
    }
    if let Some(parent) = mail.parent.filter(|_| !mail.passes_on && !mail.interim) {
        deliveries::answered(context, caller.agent(), parent.seq, message_id)?;
        context.effects.push(Effect::MailboxChanged(caller.agent()));
    }
    if mail.kind == Kind::Ping {
        pings::drop_old(context, PINGS_DROPPED)?;
    }
    context.effects.push(Effect::Stored);
    let sent = Sent {
        message_id,
        sent_ms: context.now.wall,
        recipients: recipients(context, &destinations)?,
        conversation,
        masked: Vec::new(),
        duplicate: false,
    };
    Ok((sent, seq))
}

fn recipients(view: &View<'_>, destinations: &[Destination]) -> Done<Vec<SentTo>> {
    let mut recipients = Vec::with_capacity(destinations.len());
    for to in destinations {
        let outcome = match (to.left_out, to.agent, &to.via_alias) {
            (Some(reason), _, _) => RecipientOutcome::LeftOut { reason },
            (None, Some(_), _) if to.way == Way::Held => RecipientOutcome::Held,
            (None, None, _) => RecipientOutcome::Unclaimed {
                did_you_mean: names::nearest(view.db, &to.name)?,
            },
            (None, Some(_), Some(from)) => RecipientOutcome::Forwarded { from: from.clone() },
            (None, Some(_), None) => RecipientOutcome::Stored,
        };
        recipients.push(SentTo {
            name: to.name.clone(),
            outcome,
        });
    }
    Ok(recipients)
}

fn check_body(mail: &Outgoing<'_>, view: &View<'_>) -> Done<()> {
    let draft = Draft {
        kind: mail.kind,
        text: mail.text,
        data: mail.data,
        reply_to: None,
        conversation: None,
        hops: 0,
        interim: false,
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
        Recipient::Conversation(id) => talk::others(*id, caller, context),
        Recipient::Name(name) => Ok(vec![by_name(mail, name, context)?]),
        Recipient::Agent(id) => match names::current(context.db, *id)? {
            Some(name) => Ok(vec![Destination {
                agent: Some(*id),
                name,
                via_alias: None,
                left_out: None,
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
            left_out: None,
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
        left_out: None,
        way: Way::Rings,
    };
    Ok(others.into_iter().map(to).collect())
}

/// What is told when a broadcast would reach nobody.
pub(super) fn nobody_here() -> Refusal {
    let text = "nobody else has been here in the last 24 hours";
    Refusal::new(ErrorCode::UnknownRecipient, text).hint("`ipc list` shows who is there")
}

/// Whether there is room for one more message everywhere. Without it nobody gets anything, but in a
/// conversation, which one member that reads nothing must not silence: there the others get it.
fn check_room(
    to: &Recipient,
    destinations: &mut [Destination],
    sender: AgentId,
    context: &Context<'_>,
) -> Done<()> {
    let is_talk = matches!(to, Recipient::Conversation(_));
    for to in &mut *destinations {
        if has_room(to, sender, context)? {
            check_unclaimed(to, sender, context)?;
        } else if is_talk {
            to.left_out = Some(EndReason::MailboxFull);
        } else {
            return Err(full(&to.name).into());
        }
    }
    match destinations.first() {
        Some(first) if destinations.iter().all(|to| to.left_out.is_some()) => {
            Err(full(&first.name).into())
        }
        Some(_) | None => Ok(()),
    }
}

fn full(name: &Name) -> Refusal {
    let text = format!("the mailbox of `{name}` has no room for more from you");
    let hint = "wait until its owner has read some; nothing was stored";
    Refusal::new(ErrorCode::MailboxFull, text).hint(hint)
}

fn has_room(to: &Destination, sender: AgentId, view: &View<'_>) -> Done<bool> {
    let (all, own) = match to.agent {
        Some(agent) if to.way == Way::Held => held::waiting(view.db, agent, sender)?,
        Some(agent) => deliveries::waiting_for(view.db, agent, sender)?,
        None => deliveries::waiting_for_name(view.db, &to.name, sender)?,
    };
    Ok(all < view.limits.mailbox_unread && own < view.limits.mailbox_unread_per_sender)
}

/// Mail of one sender waits for so many names that nobody has, and for no more.
fn check_unclaimed(to: &Destination, sender: AgentId, view: &View<'_>) -> Done<()> {
    if to.agent.is_some() {
        return Ok(());
    }
    let others = deliveries::other_unclaimed_names(view.db, &to.name, sender)?;
    if others < view.limits.unclaimed_names_per_sender {
        return Ok(());
    }
    refuse(
        ErrorCode::MailboxFull,
        "your mail waits for too many names that nobody has",
        "`ipc list` shows who is there; wait until one of those names is claimed",
    )
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
    if let Some(hops) = talk::hops_within(mail, caller, context)? {
        return Ok(hops);
    }
    if !mail.passes_on {
        // A ping has one.
        if mail.kind != Kind::Ack {
            check_answers(destinations, caller, context)?;
        }
        if stays(parent, destinations, caller, context)? {
            return Ok(parent.hops);
        }
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

/// Whether an answer to `parent` stays among those who have the parent: back to its sender, or one's
/// own message taken further with those whom it went to.
fn stays(
    parent: &Parent,
    destinations: &[Destination],
    caller: &Caller,
    view: &View<'_>,
) -> Done<bool> {
    let own = parent.sender == Some(caller.agent());
    for to in destinations {
        let Some(agent) = to.agent else {
            return Ok(false);
        };
        let back = parent.sender == Some(agent);
        let had_it = own && asked::state(view.db, parent.seq, agent)?.is_some();
        if !back && !had_it {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Counts what two agents answer each other, whatever it answers and whoever wrote that; what goes
/// to several has a rate of its own.
fn check_answers(destinations: &[Destination], caller: &Caller, context: &Context<'_>) -> Done<()> {
    let [
        Destination {
            agent: Some(other), ..
        },
    ] = destinations
    else {
        return Ok(());
    };
    let most = context.limits.pair_answers_per_10_minutes;
    let since = context.now.wall.plus_millis(-ANSWERS_MS);
    let answers = messages::answers_between(context.db, caller.agent(), *other, since, most)?;
    if answers >= most {
        return refuse(
            ErrorCode::LoopDetected,
            "you two have answered each other too often in ten minutes",
            "stop answering; a new message (not a reply) is still possible if it matters",
        );
    }
    Ok(())
}
