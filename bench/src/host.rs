//! A host of the MCP server, and what the server costs it.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use super::{PAIRS, PROCESSES};
use crate::daemon::Daemon;
use crate::figures::{Figure, median, timed};
use crate::usage::resident_mib;

/// Ready, called, resident; and a hook as a whole process.
pub(crate) fn figures(daemon: &Daemon) -> Result<[Figure; 4], Box<dyn Error>> {
    let mut starts = Vec::new();
    for _ in 0..PROCESSES {
        starts.push(timed(|| Host::start(daemon)?.leave())?);
    }
    let mut host = Host::start(daemon)?;
    let mut direct = daemon.agent("direct")?;
    let (mut through, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        through.push(timed(|| host.tool("ipc_list"))?);
        beside.push(timed(|| direct.list())?);
    }
    let added = median(&mut through).saturating_sub(median(&mut beside));
    let resident = resident_mib(host.child.id())?;
    host.leave()?;
    daemon.command(&["register", "hooked"])?;
    let mut hooks = Vec::new();
    for _ in 0..PROCESSES {
        let hook = ["--as", "hooked", "hook", "claude", "PostToolUse"];
        hooks.push(timed(|| daemon.command(&hook))?);
    }
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1_000.0;
    Ok([
        Figure::new(
            "`ipc mcp`, start to answer and end, p50 ms",
            milliseconds(median(&mut starts)),
            20.0,
        ),
        Figure::new(
            "a tool call over the daemon's own, ms",
            milliseconds(added),
            0.5,
        ),
        Figure::new("`ipc mcp` in use, resident MiB", resident, 12.0),
        Figure::new(
            "`ipc hook`, nothing to tell, p50 ms",
            milliseconds(median(&mut hooks)),
            5.0,
        ),
    ])
}

/// The host's end of one server.
struct Host {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    calls: u32,
}

impl Host {
    /// Starts the server, and waits until it has answered once.
    fn start(daemon: &Daemon) -> Result<Self, Box<dyn Error>> {
        let mut command = daemon.program();
        command.arg("mcp").env("HOME", daemon.room());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.current_dir(daemon.room()).spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut host = Self {
            child,
            input,
            output: BufReader::new(output),
            calls: 0,
        };
        host.ask(
            "initialize",
            &json!({
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "bench", "version": "1"},
            }),
        )?;
        writeln!(
            host.input,
            "{}",
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
        )?;
        Ok(host)
    }

    /// Calls a tool that takes no arguments.
    fn tool(&mut self, name: &str) -> Result<(), Box<dyn Error>> {
        let reply = self.ask("tools/call", &json!({"name": name, "arguments": {}}))?;
        match reply.pointer("/result/isError") {
            Some(Value::Bool(false)) => Ok(()),
            _ => Err(reply.to_string().into()),
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Box<dyn Error>> {
        self.calls = self.calls.saturating_add(1);
        let call = json!({"jsonrpc": "2.0", "id": self.calls, "method": method, "params": params});
        writeln!(self.input, "{call}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Leaves, and waits until the server has gone too.
    fn leave(self) -> Result<(), Box<dyn Error>> {
        let Self {
            mut child, input, ..
        } = self;
        drop(input);
        child.wait()?;
        Ok(())
    }
}
