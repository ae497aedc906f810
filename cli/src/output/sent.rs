//! What became of a message that was sent, for people: where it went and whom it did not reach.

use ipc_protocol::request::{RecipientOutcome, Sent, SentTo};

use super::safe;

/// Recipients that are listed by name, at most.
const LISTED: usize = 10;

/// Where the message went, as one line, with what there is to say of it.
pub(crate) fn render(sent: &Sent) -> String {
    let id = sent.message_id;
    let remarks = sent.remarks();
    match sent.recipients.as_slice() {
        [] => format!("sent {id} to nobody: no other agent was seen in the last 24 h\n"),
        [one] => format!("sent {id} to {}{remarks}\n", safe::line(&outcome(one))),
        several => {
            let names: Vec<_> = several.iter().take(LISTED).map(outcome).collect();
            let more = if several.len() > LISTED { ", …" } else { "" };
            let names = safe::line(&names.join(", "));
            format!(
                "sent {id} to {} agents: {names}{more}{remarks}\n",
                several.len()
            )
        }
    }
}

fn outcome(sent: &SentTo) -> String {
    let name = &sent.name;
    match &sent.outcome {
        RecipientOutcome::Stored => name.to_string(),
        RecipientOutcome::Forwarded { from } => format!("{name} (called {from} before)"),
        RecipientOutcome::LeftOut { reason } => {
            format!("{name}: left out, {}", reason.in_words())
        }
        RecipientOutcome::Unclaimed { did_you_mean: None } => {
            format!("{name}: queued, not registered yet")
        }
        RecipientOutcome::Unclaimed {
            did_you_mean: Some(other),
        } => {
            format!("{name}: queued, not registered yet; did you mean {other}?")
        }
        RecipientOutcome::Held => format!("{name}: held until {name} allows it"),
    }
}

#[cfg(test)]
mod tests {
    use ipc_protocol::id::MessageId;
    use ipc_protocol::name::Name;
    use ipc_protocol::time::Timestamp;

    use super::*;

    fn sent(recipients: Vec<SentTo>) -> Sent {
        Sent {
            message_id: MessageId::from_row(7),
            sent_ms: Timestamp::from_millis(0),
            recipients,
            conversation: None,
            masked: Vec::new(),
            duplicate: false,
        }
    }

    fn to(name: &str, outcome: RecipientOutcome) -> SentTo {
        SentTo {
            name: Name::parse(name).unwrap(),
            outcome,
        }
    }

    #[test]
    fn mail_for_nobody_yet_says_so_and_suggests() {
        let bob = Some(Name::parse("bob").unwrap());
        let text = render(&sent(vec![to(
            "bop",
            RecipientOutcome::Unclaimed { did_you_mean: bob },
        )]));
        assert!(
            text.contains("to bop: queued, not registered yet; did you mean bob?"),
            "{text}"
        );
    }

    #[test]
    fn a_broadcast_lists_a_few_and_counts_all() {
        let many = (0..30)
            .map(|n| to(&format!("agent-{n}"), RecipientOutcome::Stored))
            .collect();
        let text = render(&sent(many));
        assert!(
            text.contains("30 agents") && text.matches("agent-").count() == LISTED,
            "{text}"
        );
        assert!(render(&sent(Vec::new())).contains("nobody"));
    }
}
