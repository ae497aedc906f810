//! How long a credential is good.

use ipc_protocol::time::Timestamp;

use crate::clock::{BootId, Now};
use crate::limits::{CLOCK_TOLERANCE_MS, SESSION_ABSOLUTE_MS, SESSION_IDLE_MS};

/// When a credential was made and last used, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) created: Now,
    pub(crate) boot_id: BootId,
    /// Nothing for a resume credential, which does not expire by itself.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) last_used: Timestamp,
}

impl Lifetime {
    /// Whether the credential is still good at `now`, last used at `last_used`.
    ///
    /// Wall time counts, and within one boot the time since boot as well, which nobody can set. A
    /// wall clock well before the last use was set back: nothing can be said then, so it is over.
    pub(crate) fn is_good(&self, now: Now, boot_id: &BootId, last_used: Timestamp) -> bool {
        let Some(expires) = self.expires else {
            return true;
        };
        let age_ms = now.boot_ms.saturating_sub(self.created.boot_ms);
        let same_boot = *boot_id == self.boot_id;
        let unused_ms = now.wall.millis_since(last_used);
        now.wall < expires
            && unused_ms < SESSION_IDLE_MS
            && unused_ms >= CLOCK_TOLERANCE_MS.saturating_neg()
            && !(same_boot && age_ms >= SESSION_ABSOLUTE_MS)
    }
}
