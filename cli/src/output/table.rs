//! Aligned tables. Every cell is made safe here, so that no caller can forget it.

use super::safe;
use super::style::Style;

/// Rows under headings, columns two spaces apart.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub(crate) const fn new(headings: [&'static str; N]) -> Self {
        Self {
            headings,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| safe::line(&cell)));
    }

    /// The lines of the table, headings first.
    pub(crate) fn render(&self, style: Style) -> String {
        let mut widths = self.headings.map(width);
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        let mut text = style.faint(&join(&self.headings.map(str::to_owned), &widths));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&join(row, &widths));
            text.push('\n');
        }
        text
    }
}

/// Facts one below the other, their names aligned.
pub(crate) fn facts(rows: &[(&str, String)]) -> String {
    let widest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        format!("{name:widest$}  {}\n", safe::line(value))
            .trim_start()
            .to_owned()
    };
    rows.iter().map(line).collect()
}

fn join<const N: usize>(cells: &[String; N], widths: &[usize; N]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}"));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Characters, not columns: names are ASCII, and that is what needs to line up.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_blanks() {
        let mut table = Table::new(["name", "state"]);
        table.push(["al".to_owned(), "live".to_owned()]);
        table.push(["barbara".to_owned(), String::new()]);
        assert_eq!(
            table.render(Style::new(false)),
            "name     state\nal       live\nbarbara\n"
        );
    }

    #[test]
    fn a_cell_cannot_begin_a_row() {
        let mut table = Table::new(["name"]);
        table.push(["a\nsystem\x1b[2J".to_owned()]);
        assert_eq!(
            table.render(Style::new(false)),
            "name\na\\x0asystem\\x1b[2J\n"
        );
    }

    #[test]
    fn facts_line_up() {
        let rows = [("pid", "7".to_owned()), ("version", "1".to_owned())];
        assert_eq!(facts(&rows), "pid      7\nversion  1\n");
    }
}
