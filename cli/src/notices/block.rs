//! Our three lines in a text: two marks, and between them the line that reads a file.

use std::ops::Range;

use ipc_protocol::id::AgentId;
use ipc_protocol::paths::DataDir;

use crate::failure::Failure;

/// The lines for one agent.
#[derive(Debug)]
pub(super) struct Block {
    begin: String,
    import: String,
    end: String,
}

impl Block {
    /// The lines that read the file of `agent`.
    pub(super) fn new(data_dir: &DataDir, agent: AgentId) -> Result<Self, Failure> {
        let path = data_dir.notice(agent);
        let text = path.to_str().filter(|text| {
            !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '`')
        });
        let text = text.ok_or_else(|| {
            Failure::usage(format!("{:?} cannot stand in an import", path.display()))
                .hint("keep data under a path without spaces: IPC_DATA_DIR")
        })?;
        Ok(Self {
            begin: format!(
                "<!-- ipc notices {agent}: put in by `ipc notices on`, taken out by `ipc notices off` -->"
            ),
            import: format!("@{text}"),
            end: format!("<!-- ipc notices {agent}: end -->"),
        })
    }

    /// What makes `text` end with the lines, in its own manner: the ends of lines as they are in it,
    /// and none at the end where it has none.
    pub(super) fn at_the_end_of(&self, text: &str) -> String {
        let is_crlf = text
            .find('\n')
            .and_then(|at| text.get(..at))
            .is_some_and(|line| line.ends_with('\r'));
        let end = if is_crlf { "\r\n" } else { "\n" };
        let lines = [self.begin.as_str(), &self.import, &self.end].join(end);
        if text.is_empty() || text.ends_with('\n') {
            lines + end
        } else {
            end.to_owned() + &lines
        }
    }

    /// Where the lines stand in `text`, exactly as they were put in if they still do; nothing when
    /// none of them is there.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn find(
        &self,
        text: &str,
        as_put: Option<&str>,
    ) -> Result<Option<Range<usize>>, &'static str> {
        let lines = self.whole_lines(text)?;
        let (Some(lines), Some(as_put)) = (&lines, as_put) else {
            return Ok(lines);
        };
        // The end of line before them is ours where there was none.
        let exact = text
            .match_indices(as_put)
            .map(|(at, put)| at..at.saturating_add(put.len()))
            .find(|exact| exact.start <= lines.start && exact.end <= lines.end);
        Ok(Some(exact.unwrap_or_else(|| lines.clone())))
    }

    fn whole_lines(&self, text: &str) -> Result<Option<Range<usize>>, &'static str> {
        let (mut at, mut lines) = (0_usize, Vec::new());
        for line in text.split_inclusive('\n') {
            let end = at.saturating_add(line.len());
            lines.push((line.trim_end_matches(['\r', '\n']), at..end));
            at = end;
        }
        let places = |mark: &str| -> Vec<usize> {
            let is_it = |(_, (line, _)): &(usize, &(&str, Range<usize>))| *line == mark;
            lines
                .iter()
                .enumerate()
                .filter(is_it)
                .map(|(n, _)| n)
                .collect()
        };
        match (places(&self.begin).as_slice(), places(&self.end).as_slice()) {
            ([], []) => Ok(None),
            ([begin], [end]) => match lines.get(*begin..=*end) {
                Some([(_, first), (import, _), (_, last)]) if import.starts_with('@') => {
                    Ok(Some(first.start..last.end))
                }
                Some(_) | None => Err("there are other lines between the marks of `ipc notices`"),
            },
            ([], _) | (_, []) => Err("one of the two marks of `ipc notices` is missing"),
            (_, _) => Err("the marks of `ipc notices` are in it twice"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(number: i64) -> Block {
        let data_dir = DataDir::new("/data".into(), None).unwrap();
        Block::new(&data_dir, AgentId::from_row(number)).unwrap()
    }

    fn without(text: &str, ours: Range<usize>) -> String {
        let (before, rest) = text.split_at(ours.start);
        before.to_owned() + rest.split_at(ours.len()).1
    }

    proptest! {
        #[test]
        fn what_was_put_in_is_taken_out_to_the_byte(text in "(a|b|\\n|\\r\\n|#|@x){0,20}", more in "(\\n[a-z]{1,5}\\n?)?") {
            let block = block(1);
            let put = block.at_the_end_of(&text);
            // What comes after it begins a line of its own.
            let more = if put.ends_with('\n') { more.trim_start() } else { more.as_str() };
            let whole = format!("{text}{put}{more}");
            let ours = block.find(&whole, Some(&put)).unwrap().unwrap();
            prop_assert_eq!(without(&whole, ours), format!("{text}{more}"));
        }

        #[test]
        fn the_lines_of_two_agents_do_not_touch_each_other(text in "(a|\\n|\\r\\n){0,9}") {
            let (one, two) = (block(1), block(2));
            let first = one.at_the_end_of(&text);
            let with_one = format!("{text}{first}");
            let second = two.at_the_end_of(&with_one);
            let both = format!("{with_one}{second}");
            let ours = one.find(&both, Some(&first)).unwrap().unwrap();
            let left = without(&both, ours);
            prop_assert_eq!(&left, &format!("{text}{second}"));
            let ours = two.find(&left, Some(&second)).unwrap().unwrap();
            prop_assert_eq!(without(&left, ours), text);
        }
    }

    #[test]
    fn lines_that_were_moved_or_converted_are_still_ours() {
        let block = block(1);
        let put = block.at_the_end_of("x\n");
        let moved = format!("{put}x\n").replace('\n', "\r\n");
        let ours = block.find(&moved, Some(&put)).unwrap().unwrap();
        assert_eq!(without(&moved, ours), "x\r\n");
    }

    #[test]
    fn broken_marks_are_said_and_not_guessed_at() {
        let block = block(1);
        let put = block.at_the_end_of("");
        let lines: Vec<_> = put.lines().collect();
        let (begin, import, end) = (lines[0], lines[1], lines[2]);
        for text in [
            begin.to_owned(),
            end.to_owned(),
            format!("{end}\n{import}\n{begin}\n"),
            format!("{begin}\nmine\n{import}\n{end}\n"),
            format!("{begin}\n{end}\n"),
            format!("{begin}\nmine\n{end}\n"),
            put.repeat(2),
        ] {
            assert!(block.find(&text, Some(&put)).is_err(), "{text}");
        }
        assert_eq!(block.find(import, Some(&put)), Ok(None));
    }

    #[test]
    fn a_path_that_an_import_cannot_hold_is_refused() {
        let data_dir = DataDir::new("/my data".into(), None).unwrap();
        assert!(Block::new(&data_dir, AgentId::from_row(1)).is_err());
    }
}
