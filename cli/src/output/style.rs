//! Colour, where it is wanted.

/// How words stand out. The words come escaped already: no style may pass through `safe`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    colour: bool,
}

impl Style {
    /// With colour or without.
    pub(crate) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// What matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("\x1b[1m", text)
    }

    /// What matters least.
    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("\x1b[2m", text)
    }

    fn wrap(self, begin: &str, text: &str) -> String {
        if self.colour {
            [begin, text, "\x1b[0m"].concat()
        } else {
            text.to_owned()
        }
    }
}
