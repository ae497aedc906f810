//! Types a page's commands, each in its own terminal, and compares what they say.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use super::page::{self, Typed};
use super::stand_ins;
use crate::harness::{Event, Home, Window, program};
use crate::migration;
use crate::tidy::texts::root;

/// Where pages say that the reader's home is.
const HOME_IN_PAGES: &str = "/home/you";

/// A terminal of a page.
struct Terminal {
    window: Window,
    /// What a shell keeps from one command to the next: variables and the directory.
    state: String,
    /// The command that has not ended, and what it has said.
    running: Option<(Typed, String)>,
}

/// A home whose daemons end with the walk, wherever their data is.
struct House(Home);

impl Drop for House {
    fn drop(&mut self) {
        for entry in std::fs::read_dir(self.0.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            let place = entry.path();
            if place.join("lock").exists() {
                let stop = [
                    "--data-dir",
                    place.to_str().unwrap_or_default(),
                    "daemon",
                    "stop",
                ];
                drop(self.0.command(&stop).output());
            }
        }
    }
}

/// Follows a page from its first command to its last, in a home where nothing has happened yet.
pub(super) fn walk(page: &str) {
    let house = House(Home::new());
    let home = &house.0;
    prepare(home);
    if page == "MIGRATION_GUIDE.md" {
        migration::left_behind(home, 4);
    }
    let mut terminals: BTreeMap<String, Terminal> = BTreeMap::new();
    for typed in page::typed(page) {
        let opened = terminals.len();
        let terminal = terminals
            .entry(typed.terminal.clone())
            .or_insert_with(|| Terminal::open(home, opened));
        terminal.finish(home);
        let waits = typed.waits();
        terminal.begin(typed);
        if !waits {
            terminal.finish(home);
        }
    }
    for terminal in terminals.values_mut() {
        terminal.finish(home);
    }
}

/// The program where `cargo install` puts it, the sources, and the stand-ins.
fn prepare(home: &Home) {
    let bin = home.path().join(".cargo/bin");
    std::fs::create_dir_all(&bin).unwrap();
    symlink(program(), bin.join("ipc")).unwrap();
    symlink(root().join("mcp"), home.path().join("mcp")).unwrap();
    stand_ins::put(&home.path().join("stand-ins"));
}

impl Terminal {
    fn open(home: &Home, number: usize) -> Self {
        let own = home.path().display();
        let path = format!("{own}/stand-ins:{own}/.cargo/bin:/usr/bin:/bin");
        Self {
            window: Window::open(home, &[("PATH", &path)]),
            state: format!("{own}/.terminal-{number}"),
            running: None,
        }
    }

    fn begin(&mut self, typed: Typed) {
        let (state, command) = (&self.state, &typed.command);
        let script = format!(
            "exec 2>&1\ntrap : INT\ncd\n[ ! -f {state} ] || . {state}\n{command}\nended=$?\n\
             {{ export -p; echo \"cd '$PWD'\"; }} > {state}\nexit $ended\n"
        );
        self.window.begin(&["sh", "-c", &script]);
        self.running = Some((typed, String::new()));
    }

    /// Waits for the end of what runs, which must be as the page says.
    fn finish(&mut self, home: &Home) {
        let Some((typed, mut said)) = self.running.take() else {
            return;
        };
        let (own, place) = (home.path().to_str().unwrap(), &typed.place);
        let mut is_interrupted = !typed.interrupted;
        let status = loop {
            match self.window.event() {
                Event::Out(line) | Event::Err(line) => said += &line.replace(own, HOME_IN_PAGES),
                Event::Ended(status) => break status,
            }
            if !is_interrupted && typed.is_shown_by(&said) {
                is_interrupted = true;
                self.window.interrupt();
            }
        };
        let (command, statuses) = (&typed.command, &typed.statuses);
        assert!(
            statuses.contains(&status),
            "{place}: `{command}` ended with {status}:\n{said}"
        );
        assert!(
            typed.is_shown_by(&said),
            "{place}: `{command}` printed:\n{said}"
        );
    }
}
