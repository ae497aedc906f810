//! The daemon killed under load: what it acknowledged is there, once.

use std::collections::HashSet;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, ClientError, connect};
use ipc_protocol::id::MessageId;
use ipc_protocol::message::{Handover, Kind};
use ipc_protocol::name::Name;
use ipc_protocol::request::{Ack, Fetch, Register, Send, WhenLive};
use ipc_protocol::secret::SharedSecret;
use ipc_protocol::token::Token;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, RngExt, SeedableRng};

use crate::harness::Home;

/// Times that the daemon is killed.
const KILLS: usize = 30;

/// Senders that keep it busy.
const SENDERS: usize = 4;

const CONFIG: &str = "[limits]\nsend_per_minute = 4000000\nsend_burst = 4000000\n\
     fetch_per_minute = 4000000\nmailbox_unread = 100000\nmailbox_unread_per_sender = 100000\n";

#[test]
fn every_acknowledged_message_survives_thirty_kills_exactly_once_and_in_order() {
    let home = Home::new();
    home.ok(&["daemon", "start"]);
    home.ok(&["daemon", "stop"]);
    ipc_protocol::private::write_file(&home.data_dir().config(), CONFIG.as_bytes()).unwrap();
    let mut daemon = start(&home);
    let reader = enrol(&home, "reader");
    let senders: Vec<_> = (0..SENDERS)
        .map(|n| enrol(&home, &format!("sender-{n}")))
        .collect();
    let mut acknowledged: Vec<Vec<(MessageId, String)>> = vec![Vec::new(); SENDERS];
    let mut rng = StdRng::try_from_rng(&mut SysRng).unwrap();
    for kill in 0..KILLS {
        let done = load(&home, &senders, kill, &mut daemon, &mut rng);
        for (all, new) in acknowledged.iter_mut().zip(done) {
            all.extend(new);
        }
        daemon = start(&home);
    }
    let total: usize = acknowledged.iter().map(Vec::len).sum();
    assert!(total > KILLS, "the load was no load: {total} messages");
    let stored = take_all(&home, &reader);
    let ids: HashSet<_> = stored.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), stored.len(), "a message was stored twice");
    for (number, sent) in acknowledged.iter().enumerate() {
        let own = format!("sender-{number}/");
        let texts: Vec<_> = stored
            .iter()
            .filter(|(_, text)| text.starts_with(&own))
            .collect();
        let sent_ids: HashSet<_> = sent.iter().map(|(id, _)| *id).collect();
        let kept: Vec<_> = texts
            .iter()
            .filter(|(id, _)| sent_ids.contains(id))
            .collect();
        let in_order = kept
            .iter()
            .map(|(id, _)| *id)
            .eq(sent.iter().map(|(id, _)| *id));
        assert!(
            in_order,
            "sender {number}: {} acknowledged, {} kept",
            sent.len(),
            kept.len()
        );
    }
    stop(&mut daemon);
}

/// Lets every sender send until the daemon is killed; what each heard to be stored.
fn load(
    home: &Home,
    senders: &[Token],
    round: usize,
    daemon: &mut Child,
    rng: &mut StdRng,
) -> Vec<Vec<(MessageId, String)>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (progress, made) = mpsc::channel();
    std::thread::scope(|scope| {
        let running: Vec<_> = senders
            .iter()
            .enumerate()
            .map(|(number, token)| {
                let (stop, progress) = (Arc::clone(&stop), progress.clone());
                let mut client = prove(home, &Credential::Token(copy(token))).unwrap();
                scope.spawn(move || {
                    let mut sent = Vec::new();
                    for message in 0.. {
                        let text = format!("sender-{number}/{round}/{message}");
                        match client.call(&send("reader", &text)) {
                            Ok(reply) => sent.push((reply.message_id, text)),
                            Err(_) if stop.load(Ordering::SeqCst) => break,
                            Err(error) => panic!("{error}"),
                        }
                        progress.send(()).unwrap();
                    }
                    sent
                })
            })
            .collect();
        // At a random point of a random batch: after so many acknowledgements, at once.
        for _ in 0..rng.random_range(1..200) {
            made.recv().unwrap();
        }
        stop.store(true, Ordering::SeqCst);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        running
            .into_iter()
            .map(|sender| sender.join().unwrap())
            .collect()
    })
}

/// Starts the daemon in the foreground, and waits until it is ready.
fn start(home: &Home) -> Child {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let mut command = home.command(&["daemon", "run", "--autostarted"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready\n");
    child
}

fn stop(daemon: &mut Child) {
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

fn prove(home: &Home, credential: &Credential) -> Result<Client<UnixStream>, ClientError> {
    let mut nonce = [0; 32];
    StdRng::try_from_rng(&mut SysRng)
        .unwrap()
        .fill_bytes(&mut nonce);
    Client::open(connect(home.data_dir().socket(), false)?, credential, nonce)
}

fn enrol(home: &Home, name: &str) -> Token {
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
fn take_all(home: &Home, reader: &Token) -> Vec<(MessageId, String)> {
    let mut client = prove(home, &Credential::Token(copy(reader))).unwrap();
    let mut call = |request: &Fetch| client.call(request).unwrap();
    let mut all = Vec::new();
    loop {
        let fetched = call(&Fetch {
            limit: Some(100),
            ..Fetch::default()
        });
        if fetched.messages.is_empty() {
            break;
        }
        all.extend(
            fetched
                .messages
                .into_iter()
                .map(|mail| (mail.id, mail.text)),
        );
    }
    for ids in all.chunks(100) {
        let message_ids = ids.iter().map(|(id, _)| *id).collect();
        let acked = acknowledge(&mut client, message_ids);
        assert_eq!(usize::try_from(acked), Ok(ids.len()));
    }
    all
}

fn acknowledge(client: &mut Client<UnixStream>, message_ids: Vec<MessageId>) -> u64 {
    client
        .call(&Ack {
            message_ids,
            handover: Handover::Cli,
        })
        .unwrap()
        .delivered
}

fn send(to: &str, text: &str) -> Send {
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

fn copy(token: &Token) -> Token {
    Token::parse(&token.expose()).unwrap()
}
