//! `ipc send`, `broadcast`, `reply`, `forward`: everything that stores a message.
//!
//! Each carries an idempotency key, so that it can be sent once more when the connection is lost
//! before the answer came, without being stored twice.

use ipc_protocol::id::MessageId;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Forward, Reply, Send, Sent};

use super::answers::{self, Asked};
use super::text;
use crate::args::{ForwardArguments, ReplyArguments, SendArguments, TextArguments};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::sent;

/// Sends a message, and waits for the answer if asked to.
pub(crate) fn send(context: &mut Context, arguments: SendArguments) -> Result<ExitStatus, Failure> {
    if arguments.wait.is_some() {
        context.screen.require_reader()?;
    }
    let text = if arguments.kind == Kind::Ping && arguments.content.is_empty() {
        Kind::Ping.as_str().to_owned()
    } else {
        text::read(&arguments.content)?
    };
    let key = text::key(context, arguments.content.idempotency_key)?;
    let request = Send {
        to: arguments.to,
        text,
        kind: arguments.kind,
        data: arguments.content.data,
        reply_to: arguments.reply_to,
        idempotency_key: Some(key),
        // Nobody can answer for a name that nobody has.
        known_only: arguments.known || arguments.wait.is_some(),
    };
    let mut front = Front::open(context)?;
    let sent = front.call_again(context, &request)?;
    match arguments.wait {
        None => say(context, &sent),
        Some(wait) => {
            let asked = Asked {
                sent: &sent,
                kind: request.kind,
            };
            answers::collect(context, &mut front, asked, wait.duration())
        }
    }
}

/// Sends a message to everybody.
pub(crate) fn broadcast(
    context: &mut Context,
    arguments: TextArguments,
) -> Result<ExitStatus, Failure> {
    let text = text::read(&arguments)?;
    let key = text::key(context, arguments.idempotency_key)?;
    let request = Send {
        to: Recipient::All,
        text,
        kind: Kind::Message,
        data: arguments.data,
        reply_to: None,
        idempotency_key: Some(key),
        known_only: false,
    };
    let sent = Front::open(context)?.call_again(context, &request)?;
    say(context, &sent)
}

/// Answers a message.
pub(crate) fn reply(
    context: &mut Context,
    mut arguments: ReplyArguments,
) -> Result<ExitStatus, Failure> {
    let first_word = match arguments.id {
        Some(_) => None,
        None => text::take_id(&mut arguments.content.text),
    };
    let text = text::read(&arguments.content)?;
    if text.is_empty() {
        return Err(Failure::usage("the answer has no text").hint("`ipc reply [ID] TEXT…`"));
    }
    let key = text::key(context, arguments.content.idempotency_key)?;
    let request = Reply {
        message_id: arguments.id.or(first_word),
        text,
        data: arguments.content.data,
        idempotency_key: Some(key),
        private: arguments.private,
        is_final: !arguments.interim,
    };
    let sent = Front::open(context)?.call_again(context, &request)?;
    say(context, &sent)
}

/// Passes a message on.
pub(crate) fn forward(
    context: &mut Context,
    arguments: ForwardArguments,
) -> Result<ExitStatus, Failure> {
    let (message_id, to) = forward_words(&arguments.words)?;
    let key = text::key(context, arguments.idempotency_key)?;
    let request = Forward {
        message_id,
        to,
        idempotency_key: Some(key),
    };
    let sent = Front::open(context)?.call_again(context, &request)?;
    say(context, &sent)
}

fn forward_words(words: &[String]) -> Result<(Option<MessageId>, Recipient), Failure> {
    let (id, to) = match words {
        [to] => (None, to),
        [id, to] => {
            let id = id
                .parse()
                .map_err(|error| Failure::usage(format!("{error}")));
            (Some(id?), to)
        }
        [..] => return Err(Failure::usage("nobody to forward to").hint("`ipc forward [ID] TO`")),
    };
    Ok((id, to.parse()?))
}

fn say(context: &Context, sent: &Sent) -> Result<ExitStatus, Failure> {
    context.screen.confirm(sent, || sent::render(sent))?;
    Ok(ExitStatus::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_takes_an_id_before_the_recipient() {
        let id = MessageId::from_row(7);
        let words = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            forward_words(&words)
                .map(|(id, to)| (id, String::from(to)))
                .ok()
        };
        assert_eq!(words(&["bob"]), Some((None, "bob".to_owned())));
        assert_eq!(
            words(&[&id.to_string(), "bob"]),
            Some((Some(id), "bob".to_owned()))
        );
        assert_eq!(words(&["bob", "carol"]), None);
        assert_eq!(words(&[]), None);
    }
}
