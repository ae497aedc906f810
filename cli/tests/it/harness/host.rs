//! A host of agents: a window of its own in which the MCP server runs, and the other end of its
//! two streams.
//!
//! Whatever is waited for comes within [`PATIENCE`], or the test fails.

mod opening;
mod told;

use std::collections::VecDeque;
use std::io::{BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

pub(crate) use opening::Era;
pub(crate) use told::{letters, listed, text, words};

/// How long a test waits for one line before it fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// An open host. Its server is killed if nobody waits for its end.
pub(crate) struct Host {
    input: Option<ChildStdin>,
    output: ChildStdout,
    errors: BufReader<ChildStderr>,
    window: OwnedFd,
    server: Pid,
    era: Era,
    /// What has come and was not looked at.
    came: Vec<u8>,
    /// How much of it holds no end of a line.
    scanned: usize,
    asked: u64,
    /// Messages that came while something else was waited for.
    aside: VecDeque<Value>,
}

/// How a server ended, and what it said on standard error.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) err: String,
}

impl Host {
    /// Writes a line as it is.
    pub(crate) fn write(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.write_all(b"\n").unwrap();
    }

    /// Sends a request and goes on; its id.
    pub(crate) fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.asked = self.asked.saturating_add(1);
        self.begin_as(self.asked, method, params);
        self.asked
    }

    /// Sends a request with this id.
    pub(crate) fn begin_as(&mut self, id: u64, method: &str, mut params: Value) {
        if self.era == Era::Modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test-host", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let mut request = json!({"jsonrpc": "2.0", "id": id, "method": method});
        request["params"] = params;
        self.write(&request.to_string());
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let mut notification = json!({"jsonrpc": "2.0", "method": method});
        notification["params"] = params;
        self.write(&notification.to_string());
    }

    /// Gives a request up.
    pub(crate) fn cancel(&mut self, id: u64) {
        self.notify("notifications/cancelled", json!({"requestId": id}));
    }

    /// Begins a tool call; its id.
    pub(crate) fn begin_tool(&mut self, name: &str, arguments: Value) -> u64 {
        let mut call = json!({"name": name});
        call["arguments"] = arguments;
        self.begin("tools/call", call)
    }

    /// The response to a request, waited for.
    pub(crate) fn response(&mut self, id: u64) -> Value {
        self.wait_for(|message| message["id"] == id && message.get("method").is_none())
    }

    /// The next notification of this kind, waited for; its parameters.
    pub(crate) fn notification(&mut self, method: &str) -> Value {
        self.wait_for(|message| message["method"] == method)["params"].clone()
    }

    /// Whether a message of this kind has come and was not looked at.
    pub(crate) fn has_aside(&self, method: &str) -> bool {
        self.aside.iter().any(|message| message["method"] == method)
    }

    /// Asks, and waits for the whole response.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        self.response(id)
    }

    /// Asks what must succeed.
    pub(crate) fn result(&mut self, method: &str, params: Value) -> Value {
        let response = self.ask(method, params);
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].clone()
    }

    /// Asks what must be refused by the protocol's own error.
    pub(crate) fn error(&mut self, method: &str, params: Value) -> Value {
        let response = self.ask(method, params);
        assert!(response.get("error").is_some(), "{method}: {response}");
        response["error"].clone()
    }

    /// Calls a tool that must succeed; the whole result.
    pub(crate) fn call(&mut self, name: &str, arguments: Value) -> Value {
        let id = self.begin_tool(name, arguments);
        self.called(id)
    }

    /// The result of a call that must have succeeded.
    pub(crate) fn called(&mut self, id: u64) -> Value {
        let response = self.response(id);
        let result = &response["result"];
        let is_error = result["isError"].as_bool().unwrap_or(false);
        assert!(!is_error && result.is_object(), "{response}");
        result.clone()
    }

    /// Calls a tool that must succeed; what it says for programs.
    pub(crate) fn tool(&mut self, name: &str, arguments: Value) -> Value {
        self.call(name, arguments)["structuredContent"].clone()
    }

    /// Calls a tool that must say no; the error as programs see it.
    pub(crate) fn refused(&mut self, name: &str, arguments: Value) -> Value {
        let id = self.begin_tool(name, arguments);
        let response = self.response(id);
        let result = &response["result"];
        assert_eq!(result["isError"], true, "{name}: {response}");
        result["structuredContent"]["error"].clone()
    }

    /// What the agent is called.
    pub(crate) fn name(&mut self) -> String {
        let status = self.tool("ipc_status", json!({}));
        status["name"].as_str().unwrap().to_owned()
    }

    /// Sends a text; the message's id.
    pub(crate) fn send(&mut self, to: &str, text: &str) -> String {
        let sent = self.tool("ipc_send", json!({"to": to, "text": text}));
        sent["message_id"].as_str().unwrap().to_owned()
    }

    /// Takes what is new; the messages, notices of the daemon left out.
    pub(crate) fn letters(&mut self) -> Vec<Value> {
        letters(&self.tool("ipc_check", json!({})))
    }

    /// Takes what is new; the texts, notices of the daemon left out.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        self.letters().iter().map(text).collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.server, signal).unwrap();
    }

    /// Leaves: the server reads no more, and must end.
    pub(crate) fn close(mut self) -> Ended {
        self.input = None;
        self.end()
    }

    /// Kills the server as a crash would.
    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
        self.end();
    }

    /// Waits for the end of the server and of its window.
    pub(crate) fn end(mut self) -> Ended {
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let mut ended = [PollFd::new(&self.window, PollFlags::IN)];
        assert_eq!(poll(&mut ended, Some(&patience)), Ok(1), "it does not end");
        let mut all = String::new();
        self.errors.read_to_string(&mut all).unwrap();
        let (err, status) = all
            .trim_end()
            .rsplit_once('\n')
            .unwrap_or_else(|| ("", all.trim()));
        Ended {
            status: status.parse().unwrap(),
            err: err.to_owned(),
        }
    }

    fn wait_for(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.aside.iter().position(&is_it) {
            return self.aside.remove(at).unwrap();
        }
        loop {
            let message = self.next();
            let message = message.unwrap_or_else(|| panic!("the server ended: {}", self.said()));
            if is_it(&message) {
                return message;
            }
            self.aside.push_back(message);
        }
    }

    fn said(&mut self) -> String {
        let mut said = String::new();
        self.errors.read_to_string(&mut said).unwrap();
        said
    }

    /// The next message; nothing once the server has closed its output.
    pub(crate) fn next(&mut self) -> Option<Value> {
        loop {
            let fresh = &self.came[self.scanned..];
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let end = self.scanned.saturating_add(at);
                let line: Vec<_> = self.came.drain(..=end).collect();
                self.scanned = 0;
                return Some(serde_json::from_slice(&line).unwrap());
            }
            self.scanned = self.came.len();
            let mut ready = [PollFd::new(&self.output, PollFlags::IN)];
            let patience = Timespec::try_from(PATIENCE).unwrap();
            let came = poll(&mut ready, Some(&patience)).unwrap();
            assert_eq!(came, 1, "nothing came; aside: {:?}", self.aside);
            let mut bytes = [0; 16_384];
            let read = self.output.read(&mut bytes).unwrap();
            if read == 0 {
                assert!(self.came.is_empty(), "the server ended in a line");
                return None;
            }
            self.came.extend_from_slice(&bytes[..read]);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let mut ended = [PollFd::new(&self.window, PollFlags::IN)];
        let now = Timespec::try_from(Duration::ZERO).unwrap();
        // The window reaps the server as its last act: while it is there, the id is the server's.
        if poll(&mut ended, Some(&now)) == Ok(0) {
            // It may be ending just now.
            let _is_killed = kill_process(self.server, Signal::KILL);
        }
    }
}
