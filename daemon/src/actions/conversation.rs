//! `conversation`: make groups, and see what conversations one is in.

#[cfg(test)]
mod tests;

use ipc_protocol::conversation::Title;
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::{AgentId, ConversationId};
use ipc_protocol::limits::{FETCH_DEFAULT, LIST_ROWS, LISTED_MEMBERS};
use ipc_protocol::message::{IdempotencyKey, SystemEvent};
use ipc_protocol::name::Name;
use ipc_protocol::request::{Conversation, ConversationReport, ConversationRow};
use ipc_protocol::token::contains_token;

use super::{boundaries, sender, talk};
use crate::caller::Caller;
use crate::error::{Done, Fault, refuse};
use crate::store::context::{Context, View};
use crate::store::conversations::{self, Seen, Sort};
use crate::store::deliveries;
use crate::store::names::{self, Holder};

/// Changes a group.
pub(crate) fn conversation(
    request: &Conversation,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<ConversationReport> {
    match request {
        Conversation::Create {
            title,
            members,
            idempotency_key,
        } => create(title, members, idempotency_key.as_ref(), caller, context),
        Conversation::Add {
            conversation_id,
            names,
        } => {
            enter_group(*conversation_id, caller, context)?;
            add(*conversation_id, names, caller, context)
        }
        Conversation::Leave { conversation_id } => leave(*conversation_id, caller, context),
        Conversation::Members { .. } | Conversation::List { .. } => look(request, caller, context),
    }
}

/// Looks at the conversations of the caller; nothing changes.
pub(crate) fn look(
    request: &Conversation,
    caller: &Caller,
    view: &View<'_>,
) -> Done<ConversationReport> {
    match request {
        Conversation::List { limit } => {
            let limit = limit.unwrap_or(FETCH_DEFAULT).clamp(1, LIST_ROWS);
            let seen = conversations::seen_by(view, caller.agent(), None, limit)?;
            let rows = seen.into_iter().map(|seen| row(seen, LISTED_MEMBERS, view));
            report(rows.collect::<Done<_>>()?, Vec::new(), caller, view)
        }
        Conversation::Members { conversation_id } => {
            talk::entered(*conversation_id, caller, view)?;
            report_one(*conversation_id, Vec::new(), caller, view)
        }
        Conversation::Create { .. } | Conversation::Add { .. } | Conversation::Leave { .. } => {
            Err(Fault::Inconsistent("a change where only looking is possible").into())
        }
    }
}

fn create(
    title: &Title,
    members: &[Name],
    key: Option<&IdempotencyKey>,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<ConversationReport> {
    if contains_token(title.as_str()) {
        return refuse(
            ErrorCode::Forbidden,
            "the title holds a token of this program; nothing was made",
            "take the token out; nobody but its agent may have it",
        );
    }
    // Said first: a session of an agent that has ended makes nothing.
    let own = sender::of(context, caller.agent())?.name;
    if let Some(key) = key
        && let Some((id, earlier)) = conversations::made(context.db, caller.agent(), key)?
    {
        if earlier.as_ref() != Some(title) {
            return refuse(
                ErrorCode::Conflict,
                "this idempotency key was used for another group",
                "use a new key for a new group",
            );
        }
        talk::entered(id, caller, context)?;
        return report_one(id, Vec::new(), caller, context);
    }
    let id = conversations::create(context, title, caller.agent(), key)?;
    conversations::join(context.db, id, caller.agent())?;
    check_share(&own, caller.agent(), context)?;
    add(id, members, caller, context)
}

/// Brings `named` into the group `id`, which the caller is in; all of them or nobody.
fn add(
    id: ConversationId,
    named: &[Name],
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<ConversationReport> {
    let by = sender::of(context, caller.agent())?.name;
    if named.len() > usize::try_from(context.limits.group_members).unwrap_or(usize::MAX) {
        return Err(too_many(context).into());
    }
    let mut added = Vec::new();
    for name in named {
        let (agent, name) = existing(name, context)?;
        let is_new = conversations::join(context.db, id, agent)?;
        if is_new {
            boundaries::check_invitation(agent, &name, caller.agent(), context)?;
            check_share(&name, agent, context)?;
            added.push(name);
        }
    }
    let members = conversations::members(context.db, id)?;
    if u32::try_from(members.len()).map_or(true, |all| all > context.limits.group_members) {
        return Err(too_many(context).into());
    }
    if !added.is_empty() {
        let others: Vec<_> = members
            .into_iter()
            .filter(|(agent, _)| *agent != caller.agent())
            .collect();
        let event = SystemEvent::MembersAdded {
            conversation_id: id,
            names: added.clone(),
            by,
        };
        deliveries::tell(context, &others, &event)?;
    }
    report_one(id, added, caller, context)
}

fn leave(
    id: ConversationId,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<ConversationReport> {
    let title = enter_group(id, caller, context)?;
    let name = sender::of(context, caller.agent())?.name;
    conversations::leave(context, id, caller.agent(), &name)?;
    let row = ConversationRow {
        id,
        title: Some(title),
        members: Vec::new(),
        more_members: 0,
        unread: 0,
        last_ms: None,
    };
    report(vec![row], Vec::new(), caller, context)
}

/// The title of the group, if it is one and the caller is in it.
fn enter_group(id: ConversationId, caller: &Caller, view: &View<'_>) -> Done<Title> {
    match talk::entered(id, caller, view)? {
        Sort::Group(title) => Ok(title),
        Sort::Direct => refuse(
            ErrorCode::Conflict,
            "a conversation between two agents stays between these two",
            "`ipc conversation create TITLE MEMBER…` makes a group",
        ),
    }
}

/// The agent that has the name, or had it until it was renamed.
fn existing(name: &Name, view: &View<'_>) -> Done<(AgentId, Name)> {
    match names::holder(view, name)? {
        Holder::Agent(agent) | Holder::Alias { agent, .. } => {
            let current = names::current(view.db, agent)?;
            Ok((
                agent,
                current.ok_or(Fault::Inconsistent("an agent, no name"))?,
            ))
        }
        Holder::Nobody => {
            let hint = match names::nearest(view.db, name)? {
                Some(near) => format!("did you mean `{near}`? nobody was added"),
                None => "`ipc list` shows who is there; nobody was added".to_owned(),
            };
            let text = format!("nobody has the name `{name}`");
            Err(Refusal::new(ErrorCode::UnknownRecipient, text)
                .hint(hint)
                .into())
        }
    }
}

/// An agent is in so many groups at most, the one that it just came to counted.
fn check_share(name: &Name, agent: AgentId, view: &View<'_>) -> Done<()> {
    let most = view.limits.groups_per_agent;
    if conversations::groups(view.db, agent)? <= most {
        return Ok(());
    }
    let text = format!("`{name}` is in {most} groups, and in no more at a time");
    let hint = "`ipc conversation leave ID` leaves one; nothing was changed";
    Err(Refusal::new(ErrorCode::TooLarge, text).hint(hint).into())
}

fn too_many(view: &View<'_>) -> Refusal {
    let text = format!("a group has at most {} members", view.limits.group_members);
    Refusal::new(ErrorCode::TooLarge, text).hint("make several groups; nothing was changed")
}

fn report_one(
    id: ConversationId,
    added: Vec<Name>,
    caller: &Caller,
    view: &View<'_>,
) -> Done<ConversationReport> {
    let seen = conversations::seen_by(view, caller.agent(), Some(id), 1)?;
    let rows = seen.into_iter().map(|seen| row(seen, usize::MAX, view));
    report(rows.collect::<Done<_>>()?, added, caller, view)
}

fn report(
    conversations: Vec<ConversationRow>,
    added: Vec<Name>,
    caller: &Caller,
    view: &View<'_>,
) -> Done<ConversationReport> {
    Ok(ConversationReport {
        conversations,
        total: conversations::number(view.db, caller.agent())?,
        added,
    })
}

fn row(seen: Seen, most: usize, view: &View<'_>) -> Done<ConversationRow> {
    let all = conversations::members(view.db, seen.id)?;
    let more = all.len().saturating_sub(most);
    Ok(ConversationRow {
        id: seen.id,
        title: seen.title,
        members: all.into_iter().take(most).map(|(_, name)| name).collect(),
        more_members: u64::try_from(more).unwrap_or(u64::MAX),
        unread: seen.unread,
        last_ms: seen.last,
    })
}
