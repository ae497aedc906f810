//! One agent, and what it does with its mailbox.

use super::{Home, Running, Said};

/// An agent of a home, spoken for with `--as`.
#[derive(Clone, Copy)]
pub(crate) struct Agent<'a> {
    home: &'a Home,
    name: &'a str,
}

impl<'a> Agent<'a> {
    /// The agent that goes by `name`.
    pub(crate) fn called(home: &'a Home, name: &str) -> Self {
        // A test's few names live as long as the test.
        let name = Box::leak(name.to_owned().into_boxed_str());
        Self { home, name }
    }

    fn line<'b>(&'b self, arguments: &[&'b str]) -> Vec<&'b str> {
        [&["--as", self.name], arguments].concat()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.home.run(&self.line(arguments))
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.home.ok(&self.line(arguments))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        self.home.json(&self.line(arguments))
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.home.start(&self.line(arguments))
    }

    /// Sends a text; the message's id.
    pub(crate) fn send(&self, to: &str, text: &str) -> String {
        let sent = self.json(&["send", to, text]);
        sent["message_id"].as_str().unwrap().to_owned()
    }

    /// Takes what is new; the texts, notices of the daemon left out.
    pub(crate) fn texts(&self) -> Vec<String> {
        let fetched = self.json(&["check"]);
        let messages = fetched["messages"].as_array().unwrap();
        let letters = messages.iter().filter(|mail| !mail["from"].is_null());
        letters
            .map(|mail| mail["text"].as_str().unwrap().to_owned())
            .collect()
    }
}
