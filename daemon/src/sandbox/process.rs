//! What holds for the process as a whole, on every kernel.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::DESCRIPTORS;

/// No core file, no looking in by other processes of this user, no privileges to have or to
/// gain, room for every connection and for the pages that keys are locked on.
///
/// Being looked into covers `ptrace` and the memory, the environment and the descriptors under
/// `/proc` (`prctl(2)`, `PR_SET_DUMPABLE`). An exec undoes it: this is said by whoever will run the
/// daemon, not by whoever starts it.
///
/// # Errors
/// The system refuses one of them; then no secret should be read.
pub fn harden() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        rustix::thread::set_no_new_privs(true)?;
        drop_capabilities()?;
    }
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    let descriptors = at_most(getrlimit(Resource::Nofile), DESCRIPTORS);
    setrlimit(Resource::Nofile, descriptors)?;
    let memlock = getrlimit(Resource::Memlock);
    setrlimit(
        Resource::Memlock,
        Rlimit {
            current: memlock.maximum,
            maximum: memlock.maximum,
        },
    )?;
    Ok(())
}

/// For a daemon of root, to whom the rest would not apply. Where there are none the call is not
/// made: a unit may forbid it.
#[cfg(target_os = "linux")]
fn drop_capabilities() -> io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    if capabilities(None)? != none {
        set_capabilities(None, none)?;
    }
    Ok(())
}

/// As much as is allowed, up to `most`, and never more from then on.
fn at_most(limit: Rlimit, most: u64) -> Rlimit {
    let most = limit.maximum.map_or(most, |maximum| maximum.min(most));
    Rlimit {
        current: Some(most),
        maximum: Some(most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_to_what_is_allowed_and_capped() {
        let limit = |current, maximum| Rlimit { current, maximum };
        let four = limit(Some(4_096), Some(4_096));
        assert_eq!(at_most(limit(Some(1_024), None), 4_096), four);
        assert_eq!(at_most(limit(Some(1_024), Some(524_288)), 4_096), four);
        let few = limit(Some(32), Some(32));
        assert_eq!(at_most(limit(Some(16), Some(32)), 4_096), few);
    }
}
