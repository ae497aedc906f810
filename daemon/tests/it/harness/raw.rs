//! Bytes on the socket, without the client that would keep them right.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ipc_protocol::auth::{ClientHello, Credential, SeenPeers};
use ipc_protocol::client::{Client, connect};
use ipc_protocol::request::Challenge;
use ipc_protocol::token::Token;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::{Value, json};

use super::{Agent, House, copy};

/// A connection that sends whatever it is told to.
pub(crate) struct Raw {
    stream: UnixStream,
}

impl Raw {
    /// A stranger's connection.
    pub(crate) fn stranger(house: &House) -> Self {
        Self {
            stream: house.stream(),
        }
    }

    /// Another connection of `agent`, let in by its session.
    pub(crate) fn of(house: &House, agent: &Agent) -> Self {
        Self::proved(house, &Credential::Token(copy(&agent.registered.session)))
    }

    /// A connection that has proved `credential`, and no more.
    pub(crate) fn proved(house: &House, credential: &Credential) -> Self {
        let connection = connect(house.data_dir().socket(), false).unwrap();
        let stream = connection.stream.try_clone().unwrap();
        drop(Client::open(connection, credential, [7; 32]).unwrap());
        Self { stream }
    }

    /// Writes bytes; a daemon that has closed already is for the reader to notice.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes));
    }

    /// Writes one frame.
    pub(crate) fn frame(&mut self, payload: &[u8]) {
        self.write(&frame(payload));
    }

    /// Sends one call.
    pub(crate) fn call(&mut self, id: u64, method: &str, params: &Value) {
        self.frame(&call(id, method, params));
    }

    /// Sends one call and takes the next frame as its reply.
    pub(crate) fn ask(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.call(id, method, params);
        let reply = self.next().expect("a reply");
        assert_eq!(reply["id"], id, "{reply}");
        reply
    }

    /// The next frame; nothing when the daemon has closed the connection.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) => {
                let in_time = error.kind() != std::io::ErrorKind::WouldBlock;
                assert!(in_time, "neither an answer nor the end came in time");
                return None;
            }
        }
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        self.stream.read_exact(&mut payload).ok()?;
        Some(serde_json::from_slice(&payload).unwrap())
    }

    /// Every frame until the daemon closes the connection.
    pub(crate) fn until_closed(mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// The daemon must answer or close within `patience` from now on.
    pub(crate) fn hurry(&self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).unwrap();
    }

    /// Whether the daemon has closed the connection, or does within `patience`.
    pub(crate) fn is_hung_up_within(&self, patience: Duration) -> bool {
        let patience = patience.try_into().unwrap();
        let mut end = [PollFd::new(&self.stream, PollFlags::empty())];
        poll(&mut end, Some(&patience)).unwrap() == 1
    }

    /// Says that nothing more will be sent.
    pub(crate) fn say_goodbye(&self) {
        drop(self.stream.shutdown(std::net::Shutdown::Write));
    }

    /// Says hello with `credential`; the proof that would follow, not sent yet.
    pub(crate) fn hello(&mut self, credential: &Credential) -> Value {
        let hello = ClientHello::new(credential, [9; 32]);
        let reply = self.ask(1, "hello", &serde_json::to_value(hello.request()).unwrap());
        let challenge: Challenge = serde_json::from_value(reply["result"].clone()).unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let seen = SeenPeers {
            client_uid: uid,
            client_pid: Some(std::process::id()),
            server_uid: uid,
        };
        let (proof, _) = hello.answer(&challenge, seen).unwrap();
        serde_json::to_value(proof).unwrap()
    }

    /// Says hello with `token`; the proof that would follow, not sent yet.
    pub(crate) fn hello_with(&mut self, token: &Token) -> Value {
        self.hello(&Credential::Token(copy(token)))
    }
}

/// A payload behind its length.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_be_bytes(), payload].concat()
}

/// The payload of one call.
pub(crate) fn call(id: u64, method: &str, params: &Value) -> Vec<u8> {
    let call = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    call.to_string().into_bytes()
}

/// The stable code of a refusal; empty in a result.
pub(crate) fn code_in(reply: &Value) -> &str {
    reply["error"]["data"]["code"].as_str().unwrap_or_default()
}
