//! Times as the predecessor wrote them: local, ISO 8601, without a zone, as Python's
//! `datetime.isoformat()` does.

use ipc_protocol::time::Timestamp;
use jiff::tz::TimeZone;

/// The time zone of the machine, taken once at the start.
#[derive(Debug)]
pub(super) struct LocalTime(TimeZone);

impl LocalTime {
    /// Times of `zone`.
    pub(super) const fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// The time `at`; nothing for one outside the years that can be written.
    pub(super) fn iso(&self, at: Timestamp) -> Option<String> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        let local = at.to_zoned(self.0.clone());
        // Python leaves a fraction of zero out and writes any other with six digits.
        let format = if local.subsec_nanosecond() == 0 {
            "%Y-%m-%dT%H:%M:%S"
        } else {
            "%Y-%m-%dT%H:%M:%S%.6f"
        };
        Some(local.strftime(format).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_python_writes_them() {
        let east = LocalTime(TimeZone::fixed(jiff::tz::offset(2)));
        let iso = |ms| east.iso(Timestamp::from_millis(ms));
        assert_eq!(iso(1_700_000_000_000).unwrap(), "2023-11-15T00:13:20");
        assert_eq!(
            iso(1_700_000_000_007).unwrap(),
            "2023-11-15T00:13:20.007000"
        );
        assert_eq!(iso(i64::MAX), None);
    }
}
