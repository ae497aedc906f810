//! Agents without the program: the client's own connection, for load that no process start slows
//! down.

use std::collections::HashSet;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, ClientError, connect};
use ipc_protocol::id::MessageId;
use ipc_protocol::message::{Handover, Kind};
use ipc_protocol::name::Name;
use ipc_protocol::request::{Ack, Fetch, Register, Send, WhenLive};
use ipc_protocol::secret::SharedSecret;
use ipc_protocol::token::Token;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

use super::Home;

/// A message as its sender, or its reader, knows it.
pub(crate) type Letter = (MessageId, String);

/// Limits that no load in these tests comes to.
pub(crate) const GENEROUS: &str = "[limits]\nsend_per_minute = 4000000\nsend_burst = 4000000\n\
     fetch_per_minute = 4000000\nmailbox_unread = 100000\nmailbox_unread_per_sender = 100000\n";

/// A reader's mailbox, and those who write to it: who they are, what each heard to be stored, and
/// what the reader has taken.
pub(crate) struct Post {
    reader: Token,
    senders: Vec<Token>,
    pub(crate) acknowledged: Vec<Vec<Letter>>,
    taken: Vec<Letter>,
}

/// How far one round of sending goes.
pub(crate) struct Round<'a> {
    /// Its number, so that no text comes twice.
    pub(crate) number: usize,
    /// Messages of each sender, at most.
    pub(crate) most: usize,
    /// Whether the daemon may be gone.
    pub(crate) may_end: &'a AtomicBool,
    /// Told of every acknowledgement.
    pub(crate) progress: Option<mpsc::Sender<()>>,
}

impl Post {
    /// Enrols a reader and `senders` senders.
    pub(crate) fn new(home: &Home, senders: usize) -> Self {
        let names = (0..senders).map(|n| format!("sender-{n}"));
        Self {
            reader: enrol(home, "reader"),
            senders: names.map(|name| enrol(home, &name)).collect(),
            acknowledged: vec![Vec::new(); senders],
            taken: Vec::new(),
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.acknowledged.iter().map(Vec::len).sum()
    }

    /// Lets every sender send, while `meanwhile` does what it does; what ended those that did not
    /// come to the end of the round. Text `n` of sender `s` in round `r` is `<s/r/n>`.
    pub(crate) fn send(
        &mut self,
        home: &Home,
        round: &Round<'_>,
        meanwhile: impl FnOnce(),
    ) -> Vec<ClientError> {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let of = |(number, token)| {
                let client = prove(home, &Credential::Token(copy(token)));
                let progress = round.progress.clone();
                scope.spawn(move || one_sender(client, number, round, progress.as_ref()))
            };
            let running: Vec<_> = self.senders.iter().enumerate().map(of).collect();
            meanwhile();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut ended = Vec::new();
        for (all, (new, end)) in self.acknowledged.iter_mut().zip(outcomes) {
            all.extend(new);
            ended.extend(end);
        }
        ended
    }

    /// Takes what has come into the reader's mailbox, and holds all that ever came against what the
    /// senders heard: all of it there, once, in each sender's order.
    pub(crate) fn assert_kept(&mut self, home: &Home) {
        let new = self.take(home);
        self.taken.extend(new);
        kept(&self.acknowledged, &self.taken).unwrap();
    }

    /// Takes everything that is in the reader's mailbox.
    pub(crate) fn take(&self, home: &Home) -> Vec<Letter> {
        take_all(home, &self.reader)
    }
}

/// Sends until `round` has enough or something fails; what was acknowledged, and what failed.
fn one_sender(
    client: Result<Client<UnixStream>, ClientError>,
    number: usize,
    round: &Round<'_>,
    progress: Option<&mpsc::Sender<()>>,
) -> (Vec<Letter>, Option<ClientError>) {
    let mut sent = Vec::new();
    let failed = |error: ClientError| {
        assert!(round.may_end.load(Ordering::SeqCst), "{error}");
        Some(error)
    };
    let mut client = match client {
        Ok(client) => client,
        Err(error) => return (sent, failed(error)),
    };
    for message in 0..round.most {
        let text = format!("<{number}/{}/{message}>", round.number);
        match client.call(&letter("reader", &text)) {
            Ok(reply) => sent.push((reply.message_id, text)),
            Err(error) => return (sent, failed(error)),
        }
        if let Some(progress) = progress {
            progress.send(()).unwrap();
        }
    }
    (sent, None)
}

/// Whether everything that was acknowledged to each sender is in `stored`, once and in order.
pub(crate) fn kept(acknowledged: &[Vec<Letter>], stored: &[Letter]) -> Result<(), String> {
    let ids: HashSet<_> = stored.iter().map(|(id, _)| *id).collect();
    let texts: HashSet<_> = stored.iter().map(|(_, text)| text).collect();
    if (ids.len(), texts.len()) != (stored.len(), stored.len()) {
        return Err("a message was stored twice".to_owned());
    }
    for (number, sent) in acknowledged.iter().enumerate() {
        let own = format!("<{number}/");
        let found: Vec<_> = stored
            .iter()
            .filter(|(_, text)| text.starts_with(&own))
            .collect();
        let promised: HashSet<_> = sent.iter().collect();
        let kept = found.iter().filter(|letter| promised.contains(*letter));
        if !kept.copied().eq(sent) {
            let missing = sent.iter().find(|letter| !found.contains(letter));
            return Err(format!(
                "sender {number}: {} acknowledged; missing, or out of order: {missing:?}",
                sent.len()
            ));
        }
    }
    Ok(())
}

pub(crate) fn prove(
    home: &Home,
    credential: &Credential,
) -> Result<Client<UnixStream>, ClientError> {
    let mut nonce = [0; 32];
    StdRng::try_from_rng(&mut SysRng)
        .unwrap()
        .fill_bytes(&mut nonce);
    Client::open(connect(home.data_dir().socket(), false)?, credential, nonce)
}

/// Registers an agent with the secret; its session.
pub(crate) fn enrol(home: &Home, name: &str) -> Token {
    let secret = std::fs::read(home.data_dir().secret()).unwrap();
    let credential = Credential::Secret(SharedSecret::new(secret).unwrap());
    let mut client = prove(home, &credential).unwrap();
    let name = Name::parse(name).unwrap();
    let request = Register {
        name,
        when_live: WhenLive::Refuse,
        automatic: false,
        host: None,
    };
    client.call(&request).unwrap().session
}

/// Fetches and confirms everything; ids and texts in the order in which they came.
pub(crate) fn take_all(home: &Home, reader: &Token) -> Vec<Letter> {
    let mut client = prove(home, &Credential::Token(copy(reader))).unwrap();
    let mut all = Vec::new();
    loop {
        let request = Fetch {
            limit: Some(100),
            ..Fetch::default()
        };
        let fetched = client.call(&request).unwrap();
        if fetched.messages.is_empty() {
            return all;
        }
        let new = fetched
            .messages
            .into_iter()
            .map(|mail| (mail.id, mail.text));
        let new: Vec<_> = new.collect();
        let message_ids = new.iter().map(|(id, _)| *id).collect();
        let acked = client.call(&Ack {
            message_ids,
            handover: Handover::Cli,
        });
        assert_eq!(usize::try_from(acked.unwrap().delivered), Ok(new.len()));
        all.extend(new);
    }
}

/// A request that sends `text` to `to`.
pub(crate) fn letter(to: &str, text: &str) -> Send {
    Send {
        to: to.parse().unwrap(),
        text: text.to_owned(),
        kind: Kind::Message,
        data: None,
        reply_to: None,
        idempotency_key: None,
        known_only: false,
    }
}

pub(crate) fn copy(token: &Token) -> Token {
    Token::parse(&token.expose()).unwrap()
}
