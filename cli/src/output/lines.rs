//! Text made line by line.

/// Lines, each with its newline.
#[derive(Debug, Default)]
pub(crate) struct Lines(String);

impl Lines {
    /// Adds a line.
    pub(crate) fn add(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }

    /// Adds text that ends its own lines.
    pub(crate) fn add_text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// All of them.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
