//! `ipc receipts` and `ipc dead-letters`: what became of one's own messages, with the evidence.

use ipc_protocol::request::{
    DeadLetters, DeadLettersPage, DeliveryReceipt, Receipts, ReceiptsPage,
};
use ipc_protocol::time::Timestamp;

use crate::args::{DeadLettersArguments, ReceiptsArguments};
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::style::Style;
use crate::output::table::Table;
use crate::output::times;

/// Shows how far messages have come.
pub(crate) fn receipts(
    context: &mut Context,
    arguments: &ReceiptsArguments,
) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let request = Receipts {
        message_id: arguments.id,
        limit: arguments.limit,
    };
    let page = front.call_again(context, &request)?;
    context
        .screen
        .result(&page, || table(&page, clock::now(), context.screen.style))?;
    Ok(ExitStatus::Done)
}

/// The receipts as a table: one row for each recipient.
pub(crate) fn table(page: &ReceiptsPage, now: Timestamp, style: Style) -> String {
    if page.receipts.is_empty() {
        return "no messages sent\n".to_owned();
    }
    let mut table = Table::new(["message", "sent", "to", "state", "evidence"]);
    for receipt in &page.receipts {
        for delivery in &receipt.deliveries {
            table.push([
                receipt.message_id.to_string(),
                times::relative(receipt.sent_ms, now),
                delivery.to.to_string(),
                delivery.state.as_str().to_owned(),
                evidence(delivery, now),
            ]);
        }
    }
    table.render(style)
}

/// What happened to a delivery, when and how.
pub(super) fn evidence(delivery: &DeliveryReceipt, now: Timestamp) -> String {
    let ago = |time| times::relative(time, now);
    let mut facts = Vec::new();
    if let Some(time) = delivery.answered_ms {
        let by = delivery.answered_by;
        let by = by.map(|id| format!(" by {id}")).unwrap_or_default();
        facts.push(format!("answered {}{by}", ago(time)));
    }
    if let Some(time) = delivery.delivered_ms {
        let by = delivery
            .handover
            .map(|way| format!(" by {}", way.as_str()))
            .unwrap_or_default();
        facts.push(format!("delivered {}{by}", ago(time)));
    } else if let Some(time) = delivery.offered_ms {
        facts.push(format!("offered {}", ago(time)));
    }
    if delivery.offers > 1 {
        facts.push(format!("{} offers", delivery.offers));
    }
    if let Some(reason) = delivery.reason {
        facts.push(reason.in_words().to_owned());
    }
    facts.join(", ")
}

/// Shows messages that reached nobody.
pub(crate) fn dead_letters(
    context: &mut Context,
    arguments: &DeadLettersArguments,
) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let page = front.call_again(
        context,
        &DeadLetters {
            limit: arguments.limit,
        },
    )?;
    context.screen.result(&page, || {
        dead_table(&page, clock::now(), context.screen.style)
    })?;
    Ok(ExitStatus::Done)
}

fn dead_table(page: &DeadLettersPage, now: Timestamp, style: Style) -> String {
    if page.dead_letters.is_empty() {
        return "no dead letters\n".to_owned();
    }
    let mut table = Table::new(["message", "to", "state", "when", "why"]);
    for letter in &page.dead_letters {
        table.push([
            letter.message_id.to_string(),
            letter.to.to_string(),
            letter.state.as_str().to_owned(),
            times::relative(letter.ended_ms, now),
            letter.reason.in_words().to_owned(),
        ]);
    }
    table.render(style)
}

#[cfg(test)]
mod tests {
    use ipc_protocol::id::MessageId;
    use ipc_protocol::message::{DeliveryState, Handover};
    use ipc_protocol::name::Name;

    use super::*;

    #[test]
    fn the_evidence_says_what_happened_when_and_how() {
        let time = |n| Some(Timestamp::from_millis(n));
        let delivery = DeliveryReceipt {
            to: Name::parse("bob").unwrap(),
            state: DeliveryState::Answered,
            offered_ms: time(0),
            offers: 2,
            delivered_ms: time(60_000),
            handover: Some(Handover::Cli),
            answered_ms: time(110_000),
            answered_by: Some(MessageId::from_row(7)),
            ended_ms: None,
            reason: None,
        };
        assert_eq!(
            evidence(&delivery, Timestamp::from_millis(120_000)),
            "answered 10 s ago by m.000000000000e, delivered 1 min ago by cli, 2 offers"
        );
    }
}
