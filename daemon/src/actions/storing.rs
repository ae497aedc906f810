//! Storing a message, whichever request it came by: resolve, check, insert, whole or not at all.

use ipc_protocol::message::Kind;
use ipc_protocol::request::{RecipientOutcome, Sent, SentTo};

use super::destinations::destinations;
use super::loops::hops;
use super::outgoing::{Outgoing, check_body};
use super::room::check_room;
use super::{boundaries, kinds, sender, talk};
use crate::caller::Caller;
use crate::error::Done;
use crate::limits::PINGS_DROPPED;
use crate::secrets;
use crate::store::context::{Context, Effect, View};
use crate::store::deliveries::{self, Destination, Handling};
use crate::store::messages::{self, Draft, Seq};
use crate::store::names;
use crate::store::pings;
use crate::wanted::Envelope;

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
    let conversation = talk::conversation_of(mail.to, &destinations, caller, context)?;
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
            (None, Some(_), _) if to.handling == Handling::Held => RecipientOutcome::Held,
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
