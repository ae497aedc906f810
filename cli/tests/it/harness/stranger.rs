//! Bytes on the daemon's socket, without the client that would keep them right.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ipc_protocol::auth::{ClientHello, Credential, SeenPeers};
use ipc_protocol::client::connect;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Challenge, Register, Registered, WhenLive};
use ipc_protocol::secret::SharedSecret;
use serde_json::{Value, json};

use super::Home;

/// A connection that sends whatever it is told to.
pub(crate) struct Stranger {
    stream: UnixStream,
    number: u64,
    /// The process that the kernel says connected.
    pid: u32,
}

impl Stranger {
    /// A fresh connection to the daemon of `home`.
    pub(crate) fn of(home: &Home) -> Self {
        let stream = connect(home.data_dir().socket(), false).unwrap().stream;
        Self::on(stream, std::process::id())
    }

    /// A connection that process `pid` has made.
    pub(crate) fn on(stream: UnixStream, pid: u32) -> Self {
        // Nothing here waits for more than the daemon's longest deadline.
        let patience = Some(Duration::from_mins(1));
        stream.set_read_timeout(patience).unwrap();
        let number = 0;
        Self {
            stream,
            number,
            pid,
        }
    }

    /// A connection that has proved `credential`.
    pub(crate) fn proved(home: &Home, credential: &Credential) -> Self {
        let mut stranger = Self::of(home);
        let proved = stranger.prove(credential);
        assert!(proved["error"].is_null(), "{proved}");
        stranger
    }

    /// Proves `credential`; what the daemon says to it.
    pub(crate) fn prove(&mut self, credential: &Credential) -> Value {
        let hello = ClientHello::new(credential, [9; 32]);
        let asked = serde_json::to_value(hello.request()).unwrap();
        let reply = self.ask("hello", &asked).unwrap();
        let challenge: Challenge = serde_json::from_value(reply["result"].clone()).unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let seen = SeenPeers {
            client_uid: uid,
            client_pid: Some(self.pid),
            server_uid: uid,
        };
        let (proof, _) = hello.answer(&challenge, seen).unwrap();
        let proof = serde_json::to_value(proof).unwrap();
        self.ask("authenticate", &proof).unwrap()
    }

    /// Registers a name on a connection that has proved the secret.
    pub(crate) fn register(&mut self, name: &str) -> Registered {
        let request = Register {
            name: Name::parse(name).unwrap(),
            when_live: WhenLive::Refuse,
            automatic: false,
            host: None,
        };
        let params = serde_json::to_value(request).unwrap();
        let mut reply = self.ask("register", &params).unwrap();
        serde_json::from_value(reply["result"].take()).unwrap()
    }

    /// Writes bytes; a daemon that has closed already is for the reader to notice.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes));
    }

    /// Sends one call, and waits for nothing.
    pub(crate) fn call(&mut self, method: &str, params: &Value) {
        self.number = self.number.saturating_add(1);
        self.write(&call(self.number, method, params));
    }

    /// Sends one call; the next frame, or nothing when the daemon has closed.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Option<Value> {
        self.call(method, params);
        self.next()
    }

    /// The next frame, or nothing when the daemon has closed.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut length = [0; 4];
        if let Err(error) = self.stream.read_exact(&mut length) {
            let in_time = error.kind() != std::io::ErrorKind::WouldBlock;
            assert!(in_time, "neither an answer nor the end came in time");
            return None;
        }
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        self.stream.read_exact(&mut payload).ok()?;
        Some(serde_json::from_slice(&payload).unwrap())
    }

    /// The stream itself.
    pub(crate) const fn stream(&self) -> &UnixStream {
        &self.stream
    }
}

/// One call, framed.
pub(crate) fn call(id: u64, method: &str, params: &Value) -> Vec<u8> {
    let call = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let payload = call.to_string().into_bytes();
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_be_bytes(), &payload[..]].concat()
}

/// The stable code of a refusal; empty in a result.
pub(crate) fn code(reply: &Value) -> &str {
    reply["error"]["data"]["code"].as_str().unwrap_or_default()
}

/// The shared secret of `home`.
pub(crate) fn secret(home: &Home) -> Credential {
    let secret = std::fs::read(home.data_dir().secret()).unwrap();
    Credential::Secret(SharedSecret::new(secret).unwrap())
}
