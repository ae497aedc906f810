//! The predecessor's client: connects, writes one JSON object without a length, reads until the
//! other end closes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use data_encoding::HEXLOWER;
use ipc_protocol::request::{OldPortReport, Status};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{House, SECRET};

pub(crate) const CONFIG: &str = "[legacy]\ntcp = \"127.0.0.1:0\"\n";

/// A daemon with the old port on, that may be asked as often as a test likes.
pub(crate) fn house() -> House {
    House::with_config(&format!("{CONFIG}[limits]\nfetch_per_minute = 1000000\n"))
}

/// What `status` says of the old port.
pub(crate) fn report(house: &House) -> Option<OldPortReport> {
    house.operator().call(&Status {}).unwrap().old_port
}

/// The predecessor's proof of the secret.
pub(crate) fn proof(name: &str, secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("{name}:{secret}")))
}

/// Where the old port is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OldPort(pub(crate) SocketAddr);

impl OldPort {
    pub(crate) fn of(house: &House) -> Self {
        Self(report(house).unwrap().address.unwrap())
    }

    pub(crate) fn connect(self) -> TcpStream {
        TcpStream::connect(self.0).unwrap()
    }

    /// Writes `bytes` and reads until the end.
    pub(crate) fn raw(self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        read_all(stream)
    }

    pub(crate) fn ask(self, request: &Value) -> Value {
        let reply = self.raw(request.to_string().as_bytes());
        serde_json::from_slice(&reply).unwrap()
    }

    pub(crate) fn try_register(self, name: &str) -> Value {
        self.ask(&json!({
            "action": "register", "instance_id": name, "auth_token": proof(name, SECRET),
        }))
    }

    pub(crate) fn register(self, name: &str) -> OldAgent {
        let reply = self.try_register(name);
        assert_eq!(reply["status"], "ok", "{reply}");
        OldAgent {
            port: self,
            name: name.to_owned(),
            token: reply["session_token"].as_str().unwrap().to_owned(),
        }
    }
}

/// Reads until the end; a reset counts as one.
pub(crate) fn read_all(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    if stream.read_to_end(&mut bytes).is_err() {
        bytes.clear();
    }
    bytes
}

/// Somebody who registered over the old port.
#[derive(Debug, Clone)]
pub(crate) struct OldAgent {
    pub(crate) port: OldPort,
    pub(crate) name: String,
    pub(crate) token: String,
}

impl OldAgent {
    pub(crate) fn ask(&self, mut request: Value) -> Value {
        request["session_token"] = json!(self.token);
        self.port.ask(&request)
    }

    pub(crate) fn send(&self, to: &str, text: &str) -> Value {
        let message = json!({"content": text});
        self.ask(json!({"action": "send", "from_id": self.name, "to_id": to, "message": message}))
    }

    pub(crate) fn broadcast(&self, text: &str) -> Value {
        let message = json!({"content": text, "data": {}});
        self.ask(json!({"action": "broadcast", "from_id": self.name, "message": message}))
    }

    pub(crate) fn rename(&self, new: &str) -> Value {
        self.ask(json!({"action": "rename", "old_id": self.name, "new_id": new}))
    }

    pub(crate) fn list(&self) -> Value {
        self.ask(json!({"action": "list"}))
    }

    pub(crate) fn try_check(&self) -> Value {
        self.ask(json!({"action": "check", "instance_id": self.name}))
    }

    /// The messages that a check brings.
    pub(crate) fn check(&self) -> Vec<Value> {
        let reply = self.try_check();
        assert_eq!(reply["status"], "ok", "{reply}");
        reply["messages"].as_array().unwrap().clone()
    }

    /// What they say.
    pub(crate) fn texts(&self) -> Vec<String> {
        let text = |entry: &Value| entry["message"]["content"].as_str().unwrap().to_owned();
        self.check().iter().map(text).collect()
    }
}

/// The reply that refuses with `text`.
pub(crate) fn refused(text: &str) -> Value {
    json!({"status": "error", "message": text})
}

/// The reply that says `text`.
pub(crate) fn done(text: &str) -> Value {
    json!({"status": "ok", "message": text})
}
