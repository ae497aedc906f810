//! How long to wait, as people write it.

use std::str::FromStr;
use std::time::Duration;

/// Longest wait that can be asked for: a day. Longer ones are a mistake or a `watch`.
const LONGEST: Duration = Duration::from_hours(24);

/// A time to wait: `500ms`, `30s`, `5m`, `1h`, or seconds without a unit; at most a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitTime(Duration);

/// The text is not such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a wait is a number with ms, s, m or h, at most 24h; for example 30s, 5m, 1h")]
pub(crate) struct InvalidWait;

impl WaitTime {
    /// How long.
    pub(crate) const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for WaitTime {
    type Err = InvalidWait;

    fn from_str(text: &str) -> Result<Self, InvalidWait> {
        let unit_at = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(unit_at).ok_or(InvalidWait)?;
        let number: u64 = number.parse().map_err(|_| InvalidWait)?;
        let factor = match unit {
            "ms" => 1,
            "s" | "" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(InvalidWait),
        };
        let wait = number.checked_mul(factor).map(Duration::from_millis);
        wait.filter(|wait| *wait <= LONGEST)
            .map(Self)
            .ok_or(InvalidWait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_milliseconds_to_hours_and_seconds_without_one() {
        let millis = |text: &str| text.parse::<WaitTime>().map(|w| w.duration().as_millis());
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("30s"), Ok(30_000));
        assert_eq!(millis("30"), Ok(30_000));
        assert_eq!(millis("5m"), Ok(300_000));
        assert_eq!(millis("24h"), Ok(86_400_000));
        assert_eq!(millis("0"), Ok(0));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "s",
            "-1s",
            "1.5h",
            "1 s",
            "25h",
            "5d",
            "99999999999999999999h",
            "5m3",
            "٣s",
        ] {
            assert_eq!(text.parse::<WaitTime>(), Err(InvalidWait), "{text}");
        }
    }
}
