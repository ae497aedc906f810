//! The one place that reads the clock.

use std::fmt;
use std::time::SystemTime;

use ipc_protocol::time::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// A moment, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall time: it may be set, forwards and backwards.
    pub wall: Timestamp,
    /// Milliseconds since boot, sleep counted: it cannot be set.
    pub boot_ms: i64,
}

/// Which boot it is: boot times compare only within one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootId(pub String);

/// Where the time comes from; tests bring their own.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Now;

    /// The present boot.
    fn boot_id(&self) -> BootId;
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock {
    boot_id: BootId,
}

impl SystemClock {
    /// Reads which boot it is; a system that does not say has one boot called the empty name.
    pub fn new() -> Self {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            boot_id: BootId(id.trim().to_owned()),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(target_os = "linux")]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Now {
        // Before 1970 the clock is not set at all; then it is 1970.
        let wall = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let wall = i64::try_from(wall.as_millis()).unwrap_or(i64::MAX);
        let boot = clock_gettime(SINCE_BOOT);
        let boot_ms = boot
            .tv_sec
            .saturating_mul(1_000)
            .saturating_add(boot.tv_nsec / 1_000_000);
        Now {
            wall: Timestamp::from_millis(wall),
            boot_ms,
        }
    }

    fn boot_id(&self) -> BootId {
        self.boot_id.clone()
    }
}
