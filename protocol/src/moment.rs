//! A point in past mail, as people name it: a message, a time, or how long ago.

use std::str::FromStr;

use crate::id::MessageId;
use crate::time::Timestamp;

/// Longest time ago that can be named, in milliseconds: ten years. More is a mistake.
const LONGEST_MS: i64 = 315_576_000_000;

/// A message's id, an RFC 3339 time, or a time ago: `30s`, `45m`, `2h`, `3d`, `1w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Where this message stands.
    Message(MessageId),
    /// Then.
    Time(Timestamp),
    /// So many milliseconds before now.
    Ago(i64),
}

/// The text is none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither a message's id, nor a time such as 2026-11-21T09:30:00Z, nor a time ago such as 45m, 2h, 3d or 1w"
)]
pub struct InvalidMoment;

impl Moment {
    /// The message, where it is one.
    pub const fn message(self) -> Option<MessageId> {
        match self {
            Self::Message(id) => Some(id),
            Self::Time(_) | Self::Ago(_) => None,
        }
    }

    /// The time, where it is one; `now` is what it is told from.
    pub const fn time(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Message(_) => None,
            Self::Time(time) => Some(time),
            Self::Ago(milliseconds) => Some(now.plus_millis(milliseconds.saturating_neg())),
        }
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Message(id));
        }
        if let Some(time) = Timestamp::from_rfc3339(text) {
            return Ok(Self::Time(time));
        }
        ago(text).map(Self::Ago).ok_or(InvalidMoment)
    }
}

fn ago(text: &str) -> Option<i64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let number: i64 = number.parse().ok()?;
    let factor = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    let milliseconds = number.checked_mul(factor)?;
    (milliseconds <= LONGEST_MS).then_some(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn a_moment_is_a_message_a_time_or_a_time_ago() {
        let id = MessageId::from_row(7);
        assert_eq!(id.to_string().parse(), Ok(Moment::Message(id)));
        let time = |text: &str| text.parse::<Moment>().unwrap().time(NOW);
        assert_eq!(time("2023-11-14T22:13:20Z"), Some(NOW));
        assert_eq!(time("2023-11-14T23:13:20+01:00"), Some(NOW));
        for (text, milliseconds) in [
            ("0s", 0),
            ("45m", 2_700_000),
            ("2h", 7_200_000),
            ("3d", 259_200_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(time(text), Some(NOW.plus_millis(-milliseconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "3",
            "d",
            "-3d",
            "1.5h",
            "3 d",
            "3d4",
            "yesterday",
            "2026-11-21",
            "600w",
            "99999999999999999999d",
            "a.0000000000000",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(InvalidMoment), "{text}");
        }
    }
}
