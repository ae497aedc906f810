//! A host that has started the MCP server, and speaks with it line by line.
//!
//! Every server has a parent of its own, a shell: it stands for the agent where no known host is an
//! ancestor. Nothing is read but by whoever waits for something, so that a test can leave the
//! server's pipe full.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};

use super::{Home, program};

/// Says which process the server will be, becomes it, and passes its exit status on. What the shell
/// itself says of a server that was killed is of no use.
const SCRIPT: &str = r#"
exec 3>&2 2> /dev/null
sh -c 'echo $$; exec "$0" mcp "$@" 2>&3 3>&-' "$0" "$@"
exit $?"#;

/// A server that says nothing for so long has failed: better a failed test than one that waits for
/// ever.
const PATIENCE: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// The revision that hosts of the older era speak.
const LEGACY: &str = "2025-06-18";

/// The revision without `initialize`.
const MODERN: &str = "2026-07-28";

/// How a server is to be started.
pub(crate) struct Plan {
    command: Command,
    arguments: Vec<String>,
}

impl Plan {
    /// In `folder`, which is made if need be, at this home and with nothing else in its environment.
    pub(crate) fn at(home: &Home, folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut command = Command::new("sh");
        command
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(folder);
        Self {
            command,
            arguments: Vec::new(),
        }
    }

    /// With this variable set.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this argument of `ipc mcp`.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts it, and says nothing to it yet.
    pub(crate) fn start(mut self) -> Host {
        self.command.arg("-c").arg(SCRIPT).arg(program());
        self.command.args(&self.arguments);
        let command = self.command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut parent = command.spawn().unwrap();
        let mut host = Host {
            input: parent.stdin.take(),
            output: BufReader::new(parent.stdout.take().unwrap()),
            parent,
            pid: None,
            is_modern: false,
            asked: 0,
            aside: VecDeque::new(),
        };
        let pid: i32 = host.line().unwrap().trim().parse().unwrap();
        host.pid = Pid::from_raw(pid);
        host
    }

    /// Starts it, and initializes it as hosts of the older era do.
    pub(crate) fn open(self) -> Host {
        let mut host = self.start();
        host.initialize();
        host
    }
}

/// A host and its server.
pub(crate) struct Host {
    parent: Child,
    pid: Option<Pid>,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    is_modern: bool,
    /// Requests made so far: the last one's id.
    asked: u64,
    /// What came while something else was waited for.
    aside: VecDeque<Value>,
}

impl Host {
    /// An initialized one in the folder `folder` of this home.
    pub(crate) fn open(home: &Home, folder: &str) -> Self {
        Plan::at(home, &home.path().join(folder)).open()
    }

    /// Initializes the server as hosts of the older era do; what it says of itself.
    pub(crate) fn initialize(&mut self) -> Value {
        let hello = json!({
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        });
        let about = self.ask("initialize", hello);
        self.notify("notifications/initialized", json!({}));
        about
    }

    /// From here on each request says by itself what hosts of the newer era say.
    pub(crate) fn be_modern(&mut self) {
        self.is_modern = true;
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        u32::try_from(self.pid.unwrap().as_raw_nonzero().get()).unwrap()
    }

    /// Writes one message.
    pub(crate) fn write(&mut self, message: &Value) {
        self.write_line(&message.to_string());
    }

    /// Writes one line, whatever it holds.
    pub(crate) fn write_line(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Says something that has no answer.
    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Asks, and goes on; the request's id.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> u64 {
        self.asked += 1;
        let mut params = params;
        if self.is_modern {
            let meta = &mut params["_meta"];
            if meta.is_null() {
                *meta = Value::Object(Map::new());
            }
            meta["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
            meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        let id = self.asked;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Calls a tool, and goes on; the request's id.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> u64 {
        self.request("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// The whole response to the request `id`, waited for.
    pub(crate) fn response(&mut self, id: u64) -> Value {
        self.await_one(|message| message["id"] == id && message["method"].is_null())
    }

    /// The next notification of this method, waited for; its parameters.
    pub(crate) fn notification(&mut self, method: &str) -> Value {
        let mut found = self.await_one(|message| message["method"] == method);
        found["params"].take()
    }

    /// Asks, and waits for the result.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        let mut response = self.response(id);
        assert!(response["error"].is_null(), "{method}: {response}");
        response["result"].take()
    }

    /// Asks for what will be refused; the error.
    pub(crate) fn refused(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        let mut response = self.response(id);
        assert!(response["result"].is_null(), "{method}: {response}");
        response["error"].take()
    }

    /// Calls a tool; its whole result, which may be an error.
    pub(crate) fn tool(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Calls a tool that must do its work; its structured content.
    pub(crate) fn done(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.tool(tool, arguments);
        done(result)
    }

    /// Takes what is new; the texts, notices of the daemon left out.
    pub(crate) fn texts(&mut self, arguments: Value) -> Vec<String> {
        texts(&self.done("ipc_check", arguments))
    }

    /// Every message that comes until the server ends.
    pub(crate) fn lines(&mut self) -> Vec<Value> {
        let mut lines: Vec<_> = self.aside.drain(..).collect();
        while let Some(line) = self.line() {
            lines.push(serde_json::from_str(&line).unwrap());
        }
        lines
    }

    /// Sends the server this signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid.unwrap(), signal).unwrap();
    }

    /// Kills the server as a crash would, and waits for its end.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.parent.wait().unwrap();
    }

    /// Leaves, and waits for the server's end; its exit status.
    pub(crate) fn close(mut self) -> i32 {
        self.leave();
        self.end()
    }

    /// Leaves: the server reads no further.
    pub(crate) fn leave(&mut self) {
        self.input = None;
    }

    /// Waits for the server's end; its exit status.
    pub(crate) fn end(mut self) -> i32 {
        while self.line().is_some() {}
        self.parent.wait().unwrap().code().unwrap_or(-1)
    }

    fn await_one(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.aside.iter().position(&wanted) {
            return self.aside.remove(at).unwrap();
        }
        loop {
            let line = self.line().expect("the server has ended");
            let message = serde_json::from_str(&line).unwrap();
            if wanted(&message) {
                return message;
            }
            self.aside.push_back(message);
        }
    }

    /// The next line, waited for; nothing at the end.
    fn line(&mut self) -> Option<String> {
        if self.output.buffer().is_empty() {
            let mut ready = [PollFd::from_borrowed_fd(
                self.output.get_ref().as_fd(),
                PollFlags::IN,
            )];
            let came = poll(&mut ready, Some(&PATIENCE)).unwrap();
            assert_eq!(came, 1, "the server says nothing; aside: {:?}", self.aside);
        }
        let mut line = String::new();
        let read = self.output.read_line(&mut line).unwrap();
        (read > 0).then_some(line)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // One that has ended is no longer there to be killed.
        if let (Ok(None), Some(pid)) = (self.parent.try_wait(), self.pid) {
            drop(kill_process(pid, Signal::KILL));
            drop(self.parent.wait());
        }
    }
}

/// The structured content of the result of a tool that did its work.
pub(crate) fn done(mut result: Value) -> Value {
    assert_ne!(result["isError"], true, "{result}");
    result["structuredContent"].take()
}

/// The texts in what `ipc_check` gave, without the fence around each; notices of the daemon left
/// out.
pub(crate) fn texts(checked: &Value) -> Vec<String> {
    let messages = checked["messages"].as_array().unwrap();
    let letters = messages.iter().filter(|mail| !mail["from"].is_null());
    letters
        .map(|mail| {
            let lines: Vec<_> = mail["text"].as_str().unwrap().split('\n').collect();
            lines[1..lines.len() - 1].join("\n")
        })
        .collect()
}
