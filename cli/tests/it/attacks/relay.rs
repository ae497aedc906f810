//! A real process between client and daemon: it comes to nothing, and where a client has been told to
//! accept any process it still sees no secret.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use ipc_protocol::token::Token;
use serde_json::Value;

use crate::harness::{Home, Running, Said, python};

const SECRET: &str = "canary-of-the-shared-secret-18d4";
const NEW_SECRET: &str = "canary-of-the-next-secret-77e1";

/// Relays between the clients that it is told to and the daemon of a home.
struct Relay {
    socket: PathBuf,
    seen: PathBuf,
    _process: Running,
}

impl Relay {
    fn start(home: &Home, mode: &str) -> Self {
        let (socket, seen) = (home.path().join(mode), home.path().join("seen").join(mode));
        std::fs::create_dir_all(&seen).unwrap();
        let mut command = python(include_str!("relay.py"));
        command.args([&socket, &home.data_dir().socket().to_owned(), &seen]);
        command.arg(mode).stdin(Stdio::null());
        let mut process = Running::start(&mut command);
        assert_eq!(process.line(), "listening\n");
        Self {
            socket,
            seen,
            _process: process,
        }
    }

    /// Runs the program with this process in the place of the daemon.
    fn run(&self, home: &Home, any_pid: bool, secret: &str, line: &[&str]) -> Said {
        let mut command = home.command(line);
        command
            .env("IPC_SOCKET", &self.socket)
            .env("IPC_SHARED_SECRET", secret)
            .env("IPC_ALLOW_NS", if any_pid { "1" } else { "" });
        Said::of(&command.output().unwrap())
    }

    /// What crossed it, each connection's requests and replies.
    fn seen(&self) -> Vec<(Vec<Value>, Vec<Value>)> {
        let mut all = Vec::new();
        for number in 0.. {
            let path = |end: &str| self.seen.join(format!("{number}.{end}"));
            if !path("up").exists() {
                break;
            }
            all.push((frames(&path("up")), frames(&path("down"))));
        }
        all
    }

    /// The methods of all requests.
    fn methods(&self) -> Vec<String> {
        let seen = self.seen().into_iter();
        let requests = seen.flat_map(|(requests, _)| requests);
        let method = |request: Value| request["method"].as_str().unwrap().to_owned();
        requests.map(method).collect()
    }
}

fn frames(path: &Path) -> Vec<Value> {
    let bytes = std::fs::read(path).unwrap();
    let (mut rest, mut frames) = (&bytes[..], Vec::new());
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        let (payload, behind) = behind.split_at(length);
        frames.push(serde_json::from_slice(payload).unwrap());
        rest = behind;
    }
    frames
}

/// A home whose daemon knows the secret.
fn home() -> Home {
    let home = Home::new();
    let mut start = home.command(&["daemon", "start"]);
    let said = Said::of(&start.env("IPC_SHARED_SECRET", SECRET).output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    home
}

#[test]
fn a_relaying_process_hears_no_proof_and_one_that_forges_who_it_is_gets_none_accepted() {
    let home = home();
    let honest = Relay::start(&home, "relay");
    let said = honest.run(&home, false, SECRET, &["register", "alice"]);
    said.refused(3, &["sees another process"]);
    let methods = honest.methods();
    assert!(!methods.is_empty());
    assert!(
        methods.iter().all(|method| method == "hello"),
        "{methods:?}"
    );
    let forging = Relay::start(&home, "forge");
    let said = forging.run(&home, false, SECRET, &["register", "alice"]);
    said.refused(1, &["the proof is wrong"]);
    let methods = forging.methods();
    assert!(methods.contains(&"authenticate".to_owned()), "{methods:?}");
    assert!(!methods.contains(&"register".to_owned()), "{methods:?}");
    assert_eq!(home.json(&["list"])["agents"], serde_json::json!([]));
    home.ok(&["register", "alice"]);
}

/// Everything that a credential is part of, and much that it is not.
const EVERYTHING: [&[&str]; 18] = [
    &["register", "alice"],
    &["register", "bob"],
    &["--as", "alice", "send", "bob", "hello"],
    &["--as", "bob", "check"],
    &["--as", "bob", "reply", "hello yourself"],
    &["--as", "alice", "rename", "alicia"],
    &["--as", "alicia", "renew"],
    &["--as", "alicia", "whoami"],
    &["--as", "bob", "revoke"],
    &["--as", "bob", "check"],
    &["--as", "alicia", "broadcast", "hello all"],
    &["list"],
    &["status"],
    &["admin", "backup"],
    &["admin", "revoke", "bob"],
    &["register", "bob"],
    &["admin", "release", "bob"],
    &["--as", "alicia", "unregister"],
];

/// The tokens in `value`, each with the name of the field that it stands in.
fn tokens(value: &Value, field: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                tokens(value, key, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| tokens(value, field, found)),
        Value::String(text) if text.contains("ipcs_") || text.contains("ipcr_") => {
            found.push((field.to_owned(), text.clone()));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The ways in which `bytes` might be written.
fn spellings(bytes: &[u8]) -> Vec<String> {
    let plain = String::from_utf8(bytes.to_vec()).into_iter();
    let encoded = [
        BASE64URL_NOPAD.encode(bytes),
        BASE64.encode(bytes).trim_end_matches('=').to_owned(),
        HEXLOWER.encode(bytes),
        HEXLOWER.encode(bytes).to_uppercase(),
    ];
    plain.chain(encoded).collect()
}

/// Requests that must have crossed the relay for its trace to show anything.
const PHASES: [&str; 12] = [
    "hello",
    "authenticate",
    "register",
    "renew",
    "send",
    "fetch",
    "ack",
    "rename",
    "revoke",
    "admin_rotate_secret",
    "admin_revoke",
    "unregister",
];

/// Where a token is issued: the request that is answered, and the field of the reply.
const ISSUED: [(&str, &str); 3] = [
    ("register", "session"),
    ("register", "resume"),
    ("renew", "session"),
];

/// Takes the tokens that were issued in `reply` out of it; one anywhere else is a leak.
fn issued(requests: &[Value], reply: &mut Value) -> Vec<Token> {
    let is_answered = |request: &&Value| request["id"] == reply["id"];
    // What the daemon says unasked, as that a session is over, has no id.
    let request = requests.iter().find(is_answered);
    let method = request.map_or("", |request| request["method"].as_str().unwrap());
    let mut found = Vec::new();
    tokens(reply, "", &mut found);
    let take = |(field, token): (String, String)| {
        assert!(
            ISSUED.contains(&(method, &field)),
            "{method} shows a token in {field}"
        );
        reply["result"][&field].take();
        Token::parse(&token).unwrap()
    };
    found.into_iter().map(take).collect()
}

#[test]
fn in_every_byte_of_every_phase_there_is_no_secret_and_a_token_only_where_it_is_issued() {
    let home = home();
    let relay = Relay::start(&home, "relay");
    for line in EVERYTHING {
        let said = relay.run(&home, true, SECRET, line);
        assert_eq!(said.status, 0, "{line:?}: {said:?}");
    }
    for line in [&["admin", "rotate-secret"], &["register", "carol"]] {
        let said = relay.run(&home, true, NEW_SECRET, line);
        assert_eq!(said.status, 0, "{line:?}: {said:?}");
    }
    let methods = relay.methods();
    for phase in PHASES {
        assert!(methods.iter().any(|method| method == phase), "no {phase}");
    }
    let (mut whole, mut all) = (String::new(), Vec::new());
    for (requests, replies) in relay.seen() {
        for request in &requests {
            let mut found = Vec::new();
            tokens(request, "", &mut found);
            assert!(found.is_empty(), "a token is sent: {request}");
            whole.push_str(&request.to_string());
        }
        for mut reply in replies {
            all.extend(issued(&requests, &mut reply));
            whole.push_str(&reply.to_string());
        }
    }
    assert!(all.len() >= 8, "only {} were issued", all.len());
    let keys = all.iter().map(|token| token.key().to_vec());
    let secrets = [SECRET, NEW_SECRET].map(|secret| secret.as_bytes().to_vec());
    for secret in keys.chain(secrets) {
        for spelling in spellings(&secret) {
            assert!(!whole.contains(&spelling), "{spelling}");
        }
    }
}
