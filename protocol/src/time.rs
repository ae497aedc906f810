//! Points in time as the wire and the store write them.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `milliseconds` after the epoch.
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This point moved by `milliseconds`, stopping at the ends of the range.
    #[must_use]
    pub const fn plus_millis(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to here; negative if `earlier` is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC; nothing for a time outside the years that it can write.
    pub fn rfc3339(self) -> Option<String> {
        let time = jiff::Timestamp::from_millisecond(self.0).ok()?;
        Some(time.to_string())
    }

    /// The time that an RFC 3339 text names, to the millisecond.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let time = text.parse::<jiff::Timestamp>().ok()?;
        Some(Self(time.as_millisecond()))
    }

    /// The time as part of a file's name, in UTC: it sorts, and no file system minds it.
    pub fn for_file_name(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(
            |_| self.0.to_string(),
            |time| time.strftime("%Y%m%d-%H%M%S").to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_times_are_utc() {
        let time = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(time.rfc3339().unwrap(), "2023-11-14T22:13:20.123Z");
        assert_eq!(time.for_file_name(), "20231114-221320");
        assert_eq!(Timestamp::from_millis(i64::MAX).rfc3339(), None);
        assert!(!Timestamp::from_millis(i64::MIN).for_file_name().is_empty());
    }
}
