//! Times and sizes as people read them.

use ipc_protocol::time::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long ago `then` is, or how far ahead.
pub(crate) fn relative(then: Timestamp, now: Timestamp) -> String {
    let ago = now.millis_since(then);
    // What is past has passed in full; what lies ahead is told to the nearest unit, or two hours
    // would be one from the first millisecond on.
    let span = match ago {
        0.. => span(ago),
        _ => span(round_up_half(ago.saturating_abs())),
    };
    match span {
        None => "just now".to_owned(),
        Some(span) if ago > 0 => format!("{span} ago"),
        Some(span) => format!("in {span}"),
    }
}

fn round_up_half(milliseconds: i64) -> i64 {
    let unit = match milliseconds {
        n if n < MINUTE => return n,
        n if n < HOUR => MINUTE,
        n if n < DAY => HOUR,
        _ => DAY,
    };
    milliseconds.saturating_add(unit / 2)
}

/// A stretch of time, in its largest whole unit; nothing under five seconds.
fn span(milliseconds: i64) -> Option<String> {
    let (unit, word) = match milliseconds {
        n if n < 5 * SECOND => return None,
        n if n < MINUTE => (SECOND, "s"),
        n if n < HOUR => (MINUTE, "min"),
        n if n < DAY => (HOUR, "h"),
        n if n < DAY.saturating_mul(2) => return Some("1 day".to_owned()),
        _ => (DAY, "days"),
    };
    let count = milliseconds.checked_div(unit).unwrap_or(0);
    Some(format!("{count} {word}"))
}

/// A number of bytes in the largest unit that leaves a whole one, rounded down.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        n if n < 1_024 => format!("{n} B"),
        n if n < 1_024 * 1_024 => format!("{} KiB", n >> 10),
        n if n < 1_024 * 1_024 * 1_024 => format!("{} MiB", n >> 20),
        n => format!("{} GiB", n >> 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ago(milliseconds: i64) -> String {
        relative(
            Timestamp::from_millis(0),
            Timestamp::from_millis(milliseconds),
        )
    }

    #[test]
    fn times_are_told_in_their_largest_unit() {
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(-4_999), "just now");
        assert_eq!(ago(42 * SECOND), "42 s ago");
        assert_eq!(ago(2 * MINUTE), "2 min ago");
        assert_eq!(ago(HOUR + MINUTE), "1 h ago");
        assert_eq!(ago(DAY), "1 day ago");
        assert_eq!(ago(9 * DAY), "9 days ago");
        assert_eq!(ago(-3 * HOUR), "in 3 h");
        assert_eq!(ago(1 - 2 * HOUR), "in 2 h");
        assert_eq!(ago(1 - DAY), "in 1 day");
        assert!(!ago(i64::MIN).is_empty());
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(
            [0, 1_023, 1_024, 5 << 20, 3 << 30].map(bytes),
            ["0 B", "1023 B", "1 KiB", "5 MiB", "3 GiB"]
        );
    }
}
