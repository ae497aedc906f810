//! `ipc quickstart`: from nothing to two agents exchanging mail, and nothing left behind.
//!
//! The two throw-away agents live on their connections alone: no credentials are written, so
//! there is nothing to clean up but their names. Should this process die half way, they are
//! automatic agents without mail, which the daemon forgets.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use ipc_protocol::client::Client;
use ipc_protocol::message::{Handover, Kind, Mail};
use ipc_protocol::name::{Name, Recipient};
use ipc_protocol::request::{
    Ack, Fetch, Receipt, Receipts, Register, Reply, Send, Sent, Unregister, WhenLive,
};
use serde_json::json;

use crate::autostart;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::enrol::prove_secret;
use crate::output::{mail, safe, times};

/// How long the mail may take; it takes milliseconds.
const WAIT_MS: u32 = 10_000;

/// Letters and digits that tell this run's agents from another's.
const TAG_DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

const NEXT: &str = "\
next, in two terminals:
  ipc register alice              # terminal 1
  ipc register bob                # terminal 2
  ipc send alice \"hello\"          # terminal 2, then in 1: ipc check
";

/// Shows it all.
pub(crate) fn run(context: &mut Context) -> Result<ExitStatus, Failure> {
    let started = autostart::start(context)?;
    let pid = started.pid;
    drop(started.connection);
    let socket = safe::line(&context.data_dir.socket().display().to_string());
    let how = pid.map_or_else(
        || "running".to_owned(),
        |pid| format!("started (pid {pid})"),
    );
    step(context, "daemon", &format!("{how} at {socket}"))?;
    let tag = tag(context);
    let mut first = Agent::register(context, "a", &tag)?;
    let mut second = match Agent::register(context, "b", &tag) {
        Ok(second) => second,
        Err(failure) => {
            first.leave();
            return Err(failure);
        }
    };
    let told = tell(context, &mut first, &mut second);
    let left = [first.leave(), second.leave()];
    let receipts = told?;
    if left.contains(&false) {
        context
            .screen
            .note("warning: a throw-away agent is still registered; it is forgotten by itself");
    }
    step(context, "cleaned up", "both names are free again")?;
    let value = json!({"ok": true, "receipts": receipts, "started_daemon_pid": pid});
    context.screen.result(&value, || format!("\n{NEXT}"))?;
    Ok(ExitStatus::Done)
}

/// Says a step to people; JSON has only the end.
fn step(context: &Context, what: &str, text: &str) -> Result<(), Failure> {
    if context.screen.json {
        return Ok(());
    }
    context.screen.say(&format!("{what:<12}{text}\n"))
}

/// One of the two, on its connection.
#[derive(Debug)]
struct Agent {
    name: Name,
    client: Client<UnixStream>,
}

impl Agent {
    fn register(context: &mut Context, which: &str, tag: &str) -> Result<Self, Failure> {
        let name = Name::parse(&format!("quickstart-{which}-{tag}"))?;
        let mut client = prove_secret(context)?;
        let when_live = WhenLive::Refuse;
        let request = Register {
            name: name.clone(),
            when_live,
            automatic: true,
            host: None,
        };
        client.call(&request)?;
        Ok(Self { name, client })
    }

    /// Takes the one message that must come, and acknowledges it.
    fn receive(&mut self) -> Result<Mail, Failure> {
        let request = Fetch {
            wait_ms: WAIT_MS,
            ..Fetch::default()
        };
        let wait = Duration::from_millis(u64::from(WAIT_MS));
        let fetched = self.client.call_waiting(&request, wait)?;
        let message_ids = fetched.messages.iter().map(|mail| mail.id).collect();
        let mail = fetched
            .messages
            .into_iter()
            .find(|mail| mail.from.is_some());
        let mail = mail.ok_or_else(|| {
            Failure::new(
                ExitStatus::TimedOut,
                format!("no mail came for {}", self.name),
            )
            .hint("`ipc status`")
        })?;
        self.client.call(&Ack {
            message_ids,
            handover: Handover::Cli,
        })?;
        Ok(mail)
    }

    /// Gives the name up; says whether that went well.
    fn leave(&mut self) -> bool {
        self.client.call(&Unregister {}).is_ok()
    }
}

fn tag(context: &mut Context) -> String {
    let digit = |byte: u8| {
        TAG_DIGITS
            .get(usize::from(byte & 31))
            .copied()
            .unwrap_or(b'x')
    };
    context
        .random_bytes::<4>()
        .into_iter()
        .map(|byte| char::from(digit(byte)))
        .collect()
}

fn tell(context: &Context, first: &mut Agent, second: &mut Agent) -> Result<Vec<Receipt>, Failure> {
    step(
        context,
        "registered",
        &format!("{}, {}", first.name, second.name),
    )?;
    let sent = first.client.call(&Send {
        to: Recipient::Name(second.name.clone()),
        text: "are you there?".to_owned(),
        kind: Kind::Request,
        data: None,
        reply_to: None,
        idempotency_key: None,
        known_only: true,
    })?;
    step(
        context,
        "a → b",
        &format!("{} stored: \"are you there?\"", sent.message_id),
    )?;
    let mail = second.receive()?;
    step(context, "b received", &received(&mail))?;
    let answer: Sent = second.client.call(&Reply {
        message_id: Some(mail.id),
        text: "yes, I am".to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    })?;
    step(
        context,
        "b → a",
        &format!("{} stored: \"yes, I am\"", answer.message_id),
    )?;
    let mail = first.receive()?;
    step(context, "a received", &received(&mail))?;
    receipts(context, first, &sent)
}

fn received(mail: &Mail) -> String {
    let from = mail
        .from
        .as_ref()
        .map_or("system", |sender| sender.name.as_str());
    let origin = mail
        .provenance
        .as_ref()
        .map(mail::provenance)
        .unwrap_or_default();
    safe::line(&format!(
        "\"{}\" from {from} (verified: {origin})",
        mail.text
    ))
}

fn receipts(context: &Context, agent: &mut Agent, sent: &Sent) -> Result<Vec<Receipt>, Failure> {
    let request = Receipts {
        message_id: Some(sent.message_id),
        limit: None,
    };
    let page = agent.client.call(&request)?;
    let now = clock::now();
    for delivery in page.receipts.iter().flat_map(|receipt| &receipt.deliveries) {
        let way = delivery.handover.map_or("", Handover::as_str);
        let when = delivery
            .delivered_ms
            .map_or_else(String::new, |t| times::relative(t, now));
        let state = delivery.state.as_str();
        let text = format!("{}: {state}; handed over by {way} {when}", sent.message_id);
        step(context, "receipt", &text)?;
    }
    Ok(page.receipts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_throw_away_agents_are_names() {
        for which in ["a", "b"] {
            assert!(Name::parse(&format!("quickstart-{which}-wxyz")).is_ok());
        }
        assert_eq!(NEXT.lines().count(), 4);
    }
}
