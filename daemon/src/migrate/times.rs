//! Times as Python wrote them: local, without saying which zone.

use ipc_protocol::time::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The moment that `text` says: with an offset where it has one, else in `zone`. A moment that the
/// clock went through twice is taken as the first; one that it left out, as the clock would have
/// shown it.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let moment = if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        moment
    } else {
        let civil: DateTime = text.parse().ok()?;
        zone.to_ambiguous_timestamp(civil).compatible().ok()?
    };
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(text: &str) -> Option<i64> {
        // As POSIX writes it, so that the test needs no database of zones.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        moment(text, &zone).map(Timestamp::as_millis)
    }

    #[test]
    fn a_local_time_counts_in_the_zone_it_was_written_in() {
        assert_eq!(berlin("2025-01-10T12:00:00"), Some(1_736_506_800_000));
        assert_eq!(
            berlin("2025-07-10T14:30:22.123456"),
            Some(1_752_150_622_123)
        );
        assert_eq!(berlin("2025-07-10 14:30:22"), Some(1_752_150_622_000));
    }

    #[test]
    fn an_hour_that_came_twice_is_the_first_and_one_that_never_came_is_no_error() {
        assert_eq!(berlin("2025-10-26T02:30:00"), Some(1_761_438_600_000));
        assert_eq!(berlin("2025-03-30T02:30:00"), Some(1_743_298_200_000));
    }

    #[test]
    fn an_offset_that_is_written_counts() {
        assert_eq!(berlin("2025-01-10T12:00:00+00:00"), Some(1_736_510_400_000));
        assert_eq!(berlin("2025-01-10T12:00:00Z"), Some(1_736_510_400_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2025-13-01T00:00:00",
            "1736506800",
            "99999-01-01",
        ] {
            assert_eq!(berlin(text), None, "{text}");
        }
    }
}
