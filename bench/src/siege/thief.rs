//! Whoever has a session and means ill: floods, broadcasts, invented names, largest frames, half frames,
//! and replies that it never reads.

use std::error::Error;
use std::path::{Path, PathBuf};

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, connect};
use ipc_protocol::token::Token;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::Acts;
use super::raw::{Heard, Raw, call, framed};

/// Connections on which half a frame has come, at a time.
const HALVES: usize = 3;

/// Calls at a go of those that are refused at once.
const FLOOD: usize = 20;

/// The largest frame, in bytes.
const LARGEST: usize = 2_097_152;

/// Who it is, and what it was told.
#[derive(Debug)]
pub(super) struct Thief {
    socket: PathBuf,
    session: Token,
    flood: Option<Raw>,
    deaf: Option<Raw>,
    halves: Vec<Raw>,
    invented: u64,
    heard: Heard,
}

impl Thief {
    pub(super) fn new(socket: &Path, session: &str) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            socket: socket.to_owned(),
            session: Token::parse(session)?,
            flood: None,
            deaf: None,
            halves: Vec::new(),
            invented: 0,
            heard: Heard::default(),
        })
    }

    /// Another connection with its session.
    fn log_in(&self) -> Result<Raw, Box<dyn Error>> {
        let connection = connect(&self.socket, false)?;
        let stream = connection.stream.try_clone()?;
        let mut nonce = [0; 32];
        StdRng::try_from_rng(&mut SysRng)?.fill_bytes(&mut nonce);
        let credential = Credential::Token(Token::parse(&self.session.expose())?);
        drop(Client::open(connection, &credential, nonce)?);
        Ok(Raw::over(stream)?)
    }

    fn ask(&mut self, what: &str, method: &str, params: &Value) -> Result<(), Box<dyn Error>> {
        let mut raw = match self.flood.take() {
            Some(raw) => raw,
            None => self.log_in()?,
        };
        let reply = raw.ask(method, params)?;
        self.heard.reply(what, reply.as_ref())?;
        // One that was closed is opened anew.
        self.flood = reply.map(|_| raw);
        Ok(())
    }

    fn floods(&mut self) -> Result<(), Box<dyn Error>> {
        for number in 0..FLOOD {
            let to = format!("agent-{number}");
            self.ask("a flood", "send", &json!({"to": to, "text": "x"}))?;
            self.ask("looking again and again", "list", &json!({}))?;
            self.invented = self.invented.wrapping_add(1);
            let to = format!("invented-{}", self.invented);
            self.ask("invented names", "send", &json!({"to": to, "text": "x"}))?;
        }
        self.ask("a broadcast", "send", &json!({"to": "all", "text": "x"}))
    }

    fn largest_frame(&mut self) -> Result<(), Box<dyn Error>> {
        let text = "x".repeat(1_000_000);
        let mut payload = call("send", &json!({"to": "thief", "text": text}));
        payload.resize(LARGEST, b' ');
        let mut raw = self.log_in()?;
        raw.write(&framed(&payload));
        let reply = raw.next()?;
        self.heard.reply("the largest frame", reply.as_ref())
    }

    fn half_a_frame(&mut self) -> Result<(), Box<dyn Error>> {
        if self.halves.len() >= HALVES {
            self.halves.remove(0);
        }
        let mut raw = self.log_in()?;
        raw.write(&u32::try_from(LARGEST)?.to_be_bytes());
        raw.write(&vec![b' '; 150_000]);
        self.heard.count("half a frame", "left waiting");
        self.halves.push(raw);
        Ok(())
    }

    fn never_reads(&mut self) -> Result<(), Box<dyn Error>> {
        let mut raw = match self.deaf.take() {
            Some(raw) => raw,
            None => self.log_in()?,
        };
        raw.call("fetch", &json!({"peek": true}));
        self.heard.count("a reply", "never read");
        self.deaf = Some(raw);
        Ok(())
    }
}

impl Acts for Thief {
    fn act(&mut self) -> Result<(), Box<dyn Error>> {
        self.floods()?;
        self.largest_frame()?;
        self.half_a_frame()?;
        self.never_reads()
    }

    fn rest(&mut self) {
        self.flood = None;
        self.deaf = None;
        self.halves.clear();
    }

    fn said(&self) -> String {
        self.heard.to_string()
    }
}
