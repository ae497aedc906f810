//! The daemon through its real socket, with a clock that the tests move.

#[cfg(test)]
mod harness;

#[cfg(test)]
mod answers;
#[cfg(test)]
mod asking;
mod attacks;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod auto_checks;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod boundaries;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod content;
#[cfg(test)]
mod crowds;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod freezing;
#[cfg(test)]
mod frozen;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod impostors;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod legacy;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod loops;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod notice_files;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod outgoing_secrets;
#[cfg(test)]
mod poison;
#[cfg(test)]
mod presence;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sieges;
#[cfg(test)]
mod store_trouble;
#[cfg(test)]
mod waiting;
