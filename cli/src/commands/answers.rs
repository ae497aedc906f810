//! `ipc send --wait`: answers as they come, until nobody is left who may still answer.

use std::time::Duration;

use ipc_protocol::limits::FETCH_MESSAGES;
use ipc_protocol::message::{Kind, Mail, WaitEnd};
use ipc_protocol::request::Sent;
use serde_json::json;

use super::fetching::{self, Lease};
use super::wanted::Wanted;
use crate::clock::Deadline;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::json;
use crate::output::mail::Shown;
use crate::output::sent;

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) sent: &'a Sent,
    pub(super) kind: Kind,
}

/// The answers that have come.
struct Answers<'a> {
    asked: Asked<'a>,
    /// In JSON they are one object, printed and acknowledged at the end.
    kept: Vec<Shown>,
    /// Final answers so far.
    final_ones: usize,
    round_trip_ms: Option<i64>,
}

/// Waits for answers, prints and acknowledges each as it comes, and says why no more do.
pub(super) fn collect(
    context: &mut Context,
    front: &mut Front,
    asked: Asked<'_>,
    wait: Duration,
) -> Result<ExitStatus, Failure> {
    if !context.screen.json {
        context.screen.note(sent::render(asked.sent).trim_end());
    }
    let wanted = Wanted {
        answers_to: Some(asked.sent.message_id),
        limit: Some(FETCH_MESSAGES),
        pings: true,
        ..Wanted::default()
    };
    let mut answers = Answers {
        asked,
        kept: Vec::new(),
        final_ones: 0,
        round_trip_ms: None,
    };
    let deadline = Deadline::after(wait);
    let ended = loop {
        let left = deadline.remaining().unwrap_or_default();
        let fetched = fetching::fetch(context, front, &wanted, left)?;
        answers.take(context, front, fetched.messages)?;
        match fetched.ended {
            // One request waits for an hour at most; more may have been asked for.
            Some(WaitEnd::TimedOut) if deadline.remaining().is_some() => {}
            Some(ended) => break ended,
            None if answers.are_all() => break WaitEnd::Answered,
            None if deadline.remaining().is_none() => break WaitEnd::TimedOut,
            None => {}
        }
    };
    answers.end(context, front, ended, wait)
}

impl Answers<'_> {
    /// An older daemon does not say that all have answered.
    fn are_all(&self) -> bool {
        self.asked.sent.recipients.len() == 1 && self.final_ones > 0
    }

    fn take(
        &mut self,
        context: &mut Context,
        front: &mut Front,
        messages: Vec<Mail>,
    ) -> Result<(), Failure> {
        let shown = fetching::prepare(context, front, messages, Lease::Taken);
        for Shown { mail, .. } in &shown {
            // What is kept for longer than its lease comes again.
            let is_known = self.kept.iter().any(|kept| kept.mail.id == mail.id);
            if !mail.interim && !is_known {
                self.final_ones = self.final_ones.saturating_add(1);
            }
            if mail.kind == Kind::Ack {
                self.round_trip_ms = Some(mail.sent_ms.millis_since(self.asked.sent.sent_ms));
            }
        }
        if context.screen.json {
            self.kept
                .retain(|kept| shown.iter().all(|shown| shown.mail.id != kept.mail.id));
            self.kept.extend(shown);
            return Ok(());
        }
        let text = if self.asked.kind == Kind::Ping {
            shown.iter().map(|shown| self.pong(&shown.mail)).collect()
        } else {
            fetching::people(context, &shown)
        };
        fetching::hand_over(context, front, &shown, &text)
    }

    fn pong(&self, mail: &Mail) -> String {
        let who = mail
            .from
            .as_ref()
            .map_or("system", |from| from.name.as_str());
        let took = mail.sent_ms.millis_since(self.asked.sent.sent_ms);
        format!("{who} is there: answered in {took} ms\n")
    }

    fn end(
        &self,
        context: &mut Context,
        front: &mut Front,
        ended: WaitEnd,
        wait: Duration,
    ) -> Result<ExitStatus, Failure> {
        if context.screen.json {
            let answers = self.kept.iter().map(fetching::message_json);
            let answers = answers.collect::<Result<Vec<_>, Failure>>()?;
            let mut told = serde_json::Map::from_iter([
                ("answers".to_owned(), json!(answers)),
                ("ended".to_owned(), json!(ended)),
                ("sent".to_owned(), json!(self.asked.sent)),
            ]);
            if self.asked.kind == Kind::Ping {
                told.insert("round_trip_ms".to_owned(), json!(self.round_trip_ms));
            }
            let text = json::line(&told)?;
            if ended == WaitEnd::ShuttingDown {
                // Nobody takes an acknowledgement, and none is started for it: it comes again.
                fetching::print(context, front, &self.kept, &text)?;
            } else {
                fetching::hand_over(context, front, &self.kept, &text)?;
            }
        }
        let id = self.asked.sent.message_id;
        let why = match ended {
            WaitEnd::Answered => None,
            WaitEnd::TimedOut if self.final_ones > 0 => {
                Some(format!("not all answered within {wait:?}"))
            }
            WaitEnd::TimedOut if self.asked.kind == Kind::Ping => Some(format!(
                "no answer within {wait:?}: nothing there answers pings"
            )),
            WaitEnd::TimedOut => Some(format!("no answer within {wait:?}; the message is stored")),
            WaitEnd::ShuttingDown => Some("the daemon stopped; the message is stored".to_owned()),
            WaitEnd::RecipientGone => Some("whoever has not answered has gone".to_owned()),
        };
        if let Some(why) = why {
            let hint = format!("hint: `ipc check --wait`, `ipc receipts {id}`");
            context.screen.note(&format!("{why}\n{hint}"));
        }
        Ok(match ended {
            _ if self.final_ones > 0 => ExitStatus::Done,
            WaitEnd::Answered => ExitStatus::Done,
            WaitEnd::TimedOut | WaitEnd::RecipientGone => ExitStatus::TimedOut,
            WaitEnd::ShuttingDown => ExitStatus::Unreachable,
        })
    }
}
