//! Which files can be opened from inside: Landlock (`landlock(7)`).
//!
//! The data directory, what the kernel says of processes, and the system's random numbers; for the
//! time of an import, the directory of large messages beside its file. Nothing
//! can be executed, no device made; no TCP socket bound or connected; no process outside
//! signalled, nor reached at an abstract Unix socket.
//! Under Landlock a process cannot look into one outside either: of other processes `/proc` shows
//! what it shows to every user.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope,
};

use super::open_path;

/// The newest Landlock whose rights are used: version 7 adds none.
const NEWEST: ABI = ABI::V6;

/// What can be read from inside, besides the data directory.
const READ: [&str; 2] = ["/proc", "/dev/urandom"];

/// Restricts this thread and what it starts; says up to which version of Landlock, 0 for not at
/// all. What is in `directory` can be read.
pub(super) fn restrict(root: &impl AsFd, directory: Option<&File>) -> u32 {
    match try_restrict(root, directory) {
        Ok(0) => {
            tracing::warn!("this kernel does not offer Landlock: files outside stay in reach");
            0
        }
        Ok(version) => version,
        Err(error) => {
            tracing::warn!(%error, "Landlock was refused: files outside stay in reach");
            0
        }
    }
}

fn try_restrict(root: &impl AsFd, directory: Option<&File>) -> Result<u32, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rule(PathBeneath::new(root, of_data()))?;
    for path in READ {
        rules = readable(rules, Path::new(path))?;
    }
    if let Some(directory) = directory {
        rules = rules.add_rule(PathBeneath::new(directory, AccessFs::ReadFile))?;
    }
    let status = rules.restrict_self()?;
    let is_enforced = status.ruleset != RulesetStatus::NotEnforced;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if is_enforced => {
            version(effective_abi.min(NEWEST))
        }
        LandlockStatus::Available { .. }
        | LandlockStatus::NotEnabled
        | LandlockStatus::NotImplemented => 0,
    })
}

/// All that the store, backups and notices need; neither links nor anything that runs.
fn of_data() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::ReadDir
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSock
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

/// Lets `path` be read, if it is there: a container may lack it.
fn readable(rules: RulesetCreated, path: &Path) -> Result<RulesetCreated, RulesetError> {
    let Ok(open) = open_path(path) else {
        return Ok(rules);
    };
    let mut access = BitFlags::from(AccessFs::ReadFile);
    if path.is_dir() {
        access |= AccessFs::ReadDir;
    }
    rules.add_rule(PathBeneath::new(open, access))
}

const fn version(abi: ABI) -> u32 {
    match abi {
        ABI::V1 => 1,
        ABI::V2 => 2,
        ABI::V3 => 3,
        ABI::V4 => 4,
        ABI::V5 => 5,
        ABI::V6 => 6,
        _ => 0,
    }
}
