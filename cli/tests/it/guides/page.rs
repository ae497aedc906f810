//! A page: its fenced blocks, and the lines that are typed in those called `console`.

use std::ops::RangeInclusive;

use crate::tidy::texts::read;

/// A fenced block.
pub(super) struct Block {
    /// What stands behind the fence.
    pub(super) language: String,
    /// The page.
    page: String,
    /// Its lines, each with its number within the page.
    pub(super) lines: Vec<(usize, String)>,
}

/// A line that is typed, and what the page shows beneath.
pub(super) struct Typed {
    /// Page and line, for whoever has to mend it.
    pub(super) place: String,
    /// Whose terminal: the word before `$`.
    pub(super) terminal: String,
    pub(super) command: String,
    /// What is printed, `…` for anything; nothing where the page shows nothing.
    pub(super) shown: Option<String>,
    /// Whether it is ended by `^C`.
    pub(super) interrupted: bool,
    /// The statuses with which it may end.
    pub(super) statuses: RangeInclusive<i32>,
}

impl Block {
    /// Where it is, for whoever has to mend it.
    pub(super) fn place(&self) -> String {
        let (number, _) = self.lines.first().unwrap();
        format!("{}:{number}", self.page)
    }

    /// What stands in it.
    pub(super) fn text(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|(_, line)| line.as_str()).collect();
        lines.join("\n")
    }
}

/// The fenced blocks of a page.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for (number, line) in (1..).zip(read(page).lines()) {
        match line.strip_prefix("```") {
            Some(language) if !is_inside => {
                is_inside = true;
                blocks.push(Block {
                    language: language.to_owned(),
                    page: page.to_owned(),
                    lines: Vec::new(),
                });
            }
            Some(_) => is_inside = false,
            None if is_inside => blocks
                .last_mut()
                .unwrap()
                .lines
                .push((number, line.to_owned())),
            None => {}
        }
    }
    assert!(!is_inside, "{page}: a fence is not closed");
    blocks
}

/// What is typed in a page, in order.
pub(super) fn typed(page: &str) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    for block in blocks(page) {
        if block.language != "console" {
            continue;
        }
        let mut is_first = true;
        for (number, line) in &block.lines {
            let place = format!("{page}:{number}");
            if let Some((terminal, command)) = prompt(line) {
                all.push(Typed::new(place, terminal, command));
            } else {
                assert!(!is_first, "{place}: a block begins with what is typed");
                all.last_mut().unwrap().show(&place, line);
            }
            is_first = false;
        }
    }
    assert!(!all.is_empty(), "{page}: nothing is typed");
    all
}

/// The terminal and the command, where the line is one that is typed.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let (terminal, command) = line.split_once("$ ")?;
    let is_word = terminal.chars().all(|c| c.is_ascii_lowercase());
    is_word.then_some((terminal, command))
}

impl Typed {
    fn new(place: String, terminal: &str, command: &str) -> Self {
        let stated = command.rsplit_once("# exit ").map(|(_, rest)| rest);
        let digits = stated.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap());
        let status: i32 = digits.map_or(0, |digits| digits.parse().unwrap());
        Self {
            place,
            terminal: terminal.to_owned(),
            command: command.to_owned(),
            shown: None,
            interrupted: false,
            statuses: status..=status,
        }
    }

    fn show(&mut self, place: &str, line: &str) {
        if line == "^C" {
            self.interrupted = true;
            self.statuses = 0..=130;
            return;
        }
        assert!(!self.interrupted, "{place}: nothing is printed after ^C");
        let shown = self.shown.get_or_insert_default();
        if !line.is_empty() {
            shown.push_str(line);
            shown.push('\n');
        }
    }

    /// Whether it may wait for what is done in another terminal.
    pub(super) fn waits(&self) -> bool {
        !self.interrupted && self.command.contains("--wait")
    }

    /// Whether `said` is what the page shows.
    pub(super) fn is_shown_by(&self, said: &str) -> bool {
        let Some(shown) = &self.shown else {
            return true;
        };
        let lines = said.lines().map(str::trim_end);
        let lines = lines.filter(|line| !line.is_empty());
        let said: String = lines.flat_map(|line| [line, "\n"]).collect();
        let mut left = said.as_str();
        let mut pieces = shown.split('…');
        let Some(rest) = left.strip_prefix(pieces.next().unwrap_or_default()) else {
            return false;
        };
        left = rest;
        let mut last = None;
        for piece in pieces {
            let Some((_, rest)) = left.split_once(piece) else {
                return false;
            };
            (left, last) = (rest, Some(piece));
        }
        // The last piece stands at the end, wherever else it was found before.
        left.is_empty() || last.is_some_and(|piece| left.ends_with(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(command: &str, shown: &str) -> Typed {
        let mut typed = Typed::new("here".to_owned(), "", command);
        shown.lines().for_each(|line| typed.show("here", line));
        typed
    }

    #[test]
    fn an_ellipsis_is_anything_and_the_rest_is_as_shown() {
        let shown = typed("ipc", "sent m.… to bob\n\nall …\n…\nend");
        assert!(shown.is_shown_by("sent m.1 to bob\nall x\n\ny\nend\n"));
        assert!(!shown.is_shown_by("sent m.1 to bob\nall x\nend\n\nmore"));
        assert!(!shown.is_shown_by("really sent m.1 to bob\nall x\ny\nend\n"));
        assert!(typed("ipc", "").is_shown_by("anything"));
        assert!(!typed("ipc", "a").is_shown_by(""));
        assert!(!typed("ipc", "a").is_shown_by("a\nb\n"));
    }

    #[test]
    fn a_prompt_is_a_word_and_a_dollar() {
        assert_eq!(prompt("$ ipc list"), Some(("", "ipc list")));
        assert_eq!(prompt("bob$ ipc list"), Some(("bob", "ipc list")));
        assert_eq!(prompt("costs 5$ or so"), None);
        assert_eq!(typed("ipc x   # exit 2", "").statuses, 2..=2);
        assert_eq!(typed("ipc x   # exit, or not", "").statuses, 0..=0);
    }
}
