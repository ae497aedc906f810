//! `ipc conversation`: groups, and what conversations there are.

use ipc_protocol::conversation::Title;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Conversation, ConversationReport, ConversationRow};
use ipc_protocol::time::Timestamp;

use super::{history, text};
use crate::args::ConversationCommand;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::style::Style;
use crate::output::table::{self, Table};
use crate::output::{safe, times};

/// Does what was asked for.
pub(crate) fn run(
    context: &mut Context,
    command: ConversationCommand,
) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    match command {
        ConversationCommand::Create { title, members } => {
            // Asked twice under one key, one group is made.
            let request = Conversation::Create {
                title,
                members,
                idempotency_key: Some(text::key(context, None)?),
            };
            let report = front.call_again(context, &request)?;
            confirm(context, &report, made)
        }
        ConversationCommand::Add {
            id: conversation_id,
            names,
        } => {
            let request = Conversation::Add {
                conversation_id,
                names,
            };
            let report = front.call_again(context, &request)?;
            confirm(context, &report, |row| added(row, &report.added))
        }
        ConversationCommand::Leave {
            id: conversation_id,
        } => {
            // Asked once: a second time would be refused.
            let report = front.call(&Conversation::Leave { conversation_id })?;
            confirm(context, &report, |row| {
                format!("left {}{}\n", row.id, title(row))
            })
        }
        ConversationCommand::Members {
            id: conversation_id,
        } => {
            let report = front.call_again(context, &Conversation::Members { conversation_id })?;
            let people = || report.conversations.iter().map(facts).collect();
            context.screen.result(&report, people)?;
            Ok(ExitStatus::Done)
        }
        ConversationCommand::History(past) => history::show(context, &mut front, &past.into()),
        ConversationCommand::List { limit } => {
            let report = front.call_again(context, &Conversation::List { limit })?;
            let (own, style) = (front.name.clone(), context.screen.style);
            let people = || listed(&report, &own, clock::now(), style);
            context.screen.result(&report, people)?;
            Ok(ExitStatus::Done)
        }
    }
}

fn confirm(
    context: &Context,
    report: &ConversationReport,
    words: impl Fn(&ConversationRow) -> String,
) -> Result<ExitStatus, Failure> {
    let people = || report.conversations.iter().map(words).collect();
    context.screen.confirm(report, people)?;
    Ok(ExitStatus::Done)
}

fn made(row: &ConversationRow) -> String {
    let (id, title, members) = (row.id, title(row), joined(&row.members));
    format!("made {id}{title} with {members}\nhint: `ipc send {id} TEXT`\n")
}

fn added(row: &ConversationRow, added: &[Name]) -> String {
    let (id, title) = (row.id, title(row));
    match added {
        [] => format!("nobody is new in {id}{title}\n"),
        [..] => format!("added {} to {id}{title}\n", joined(added)),
    }
}

/// A blank and the title in its quotes; nothing between two agents.
fn title(row: &ConversationRow) -> String {
    let shown = row
        .title
        .as_ref()
        .map(|title| format!(" {}", title.shown()));
    shown.unwrap_or_default()
}

fn joined(names: &[Name]) -> String {
    let names: Vec<_> = names.iter().map(Name::as_str).collect();
    names.join(", ")
}

fn facts(row: &ConversationRow) -> String {
    let what = match &row.title {
        Some(title) => format!("group {}", title.shown()),
        None => "between two agents".to_owned(),
    };
    let id = row.id.to_string();
    table::facts(&[
        (id.as_str(), what),
        ("members", joined(&row.members)),
        ("unread", row.unread.to_string()),
    ])
}

fn listed(report: &ConversationReport, own: &Name, now: Timestamp, style: Style) -> String {
    if report.conversations.is_empty() {
        return "no conversations yet\n".to_owned();
    }
    let mut table = Table::new(["conversation", "with", "unread", "last", "title"]);
    for row in &report.conversations {
        let others = row.members.iter().filter(|name| !name.same_as(own));
        let mut with: Vec<_> = others.map(ToString::to_string).collect();
        if row.more_members > 0 {
            with.push(format!("{} more", row.more_members));
        }
        let title = row.title.as_ref().map(Title::shown);
        table.push([
            row.id.to_string(),
            with.join(", "),
            row.unread.to_string(),
            row.last_ms
                .map_or_else(String::new, |at| times::relative(at, now)),
            title.unwrap_or_default(),
        ]);
    }
    let shown = u64::try_from(report.conversations.len()).unwrap_or(u64::MAX);
    let more = match report.total.saturating_sub(shown) {
        0 => String::new(),
        more => format!("{more} more: `ipc conversation list --limit N`\n"),
    };
    format!("{}{}", table.render(style), safe::block(&more))
}

#[cfg(test)]
mod tests {
    use ipc_protocol::id::ConversationId;

    use super::*;

    fn row(title: Option<&str>) -> ConversationRow {
        ConversationRow {
            id: ConversationId::from_row(7),
            title: title.map(|text| Title::parse(text).unwrap()),
            members: ["alice", "bob"].map(|name| name.parse().unwrap()).into(),
            more_members: 3,
            unread: 2,
            last_ms: Some(Timestamp::from_millis(0)),
        }
    }

    #[test]
    fn a_title_stands_in_quotes_and_last_on_its_line() {
        let report = ConversationReport {
            conversations: vec![row(Some("x\"  999\u{202E}")), row(None)],
            total: 5,
            added: Vec::new(),
        };
        let own = "alice".parse().unwrap();
        let text = listed(
            &report,
            &own,
            Timestamp::from_millis(60_000),
            Style::new(false),
        );
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].ends_with("\"x'  999⟨U+202E⟩\""), "{text}");
        assert!(lines[2].contains("bob, 3 more") && !lines[2].contains("alice"));
        assert!(lines[3].starts_with("3 more:"), "{text}");
    }

    #[test]
    fn what_was_done_is_said_with_the_id_that_mail_goes_to() {
        let text = made(&row(Some("release")));
        let id = ConversationId::from_row(7);
        assert!(text.contains(&format!("made {id} \"release\"")), "{text}");
        assert!(text.contains(&format!("`ipc send {id} TEXT`")), "{text}");
        assert!(added(&row(Some("release")), &[]).starts_with("nobody is new"));
    }
}
