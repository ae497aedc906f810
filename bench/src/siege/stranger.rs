//! Whoever knows nothing: wrong proofs, half hellos, lengths that are none.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Acts;
use super::raw::{Heard, Raw, call, framed, is_result};

/// Connections that say half a hello, at a time.
const HALVES: usize = 3;

/// Who they are, and what they were told.
#[derive(Debug)]
pub(super) struct Stranger {
    socket: PathBuf,
    halves: Vec<Raw>,
    heard: Heard,
}

impl Stranger {
    pub(super) fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
            halves: Vec::new(),
            heard: Heard::default(),
        }
    }

    fn wrong_proof(&mut self) -> Result<(), Box<dyn Error>> {
        let mut raw = Raw::connect(&self.socket)?;
        let hello = json!({"v": 1, "cred": "secret", "cn": "A".repeat(43), "kdfs": ["argon2id"]});
        let challenge = raw.ask("hello", &hello)?;
        if challenge.as_ref().is_some_and(is_result) {
            let refused = raw.ask("authenticate", &json!({"proof": "A".repeat(43)}))?;
            return self.heard.reply("a wrong proof", refused.as_ref());
        }
        self.heard.reply("a wrong proof", challenge.as_ref())
    }

    fn wrong_length(&mut self) -> Result<(), Box<dyn Error>> {
        let mut raw = Raw::connect(&self.socket)?;
        raw.write(&u32::MAX.to_be_bytes());
        let refused = raw.next()?;
        self.heard
            .reply("four gibibytes announced", refused.as_ref())
    }

    fn half_a_hello(&mut self) -> Result<(), Box<dyn Error>> {
        if self.halves.len() >= HALVES {
            self.halves.remove(0);
        }
        let mut raw = Raw::connect(&self.socket)?;
        let whole = framed(&call("hello", &json!({})));
        let half = whole.len() / 2;
        raw.write(whole.get(..half).unwrap_or_default());
        self.heard.count("half a hello", "left waiting");
        self.halves.push(raw);
        Ok(())
    }
}

impl Acts for Stranger {
    fn act(&mut self) -> Result<(), Box<dyn Error>> {
        self.wrong_proof()?;
        self.wrong_length()?;
        self.half_a_hello()
    }

    fn rest(&mut self) {
        self.halves.clear();
    }

    fn said(&self) -> String {
        self.heard.to_string()
    }
}
