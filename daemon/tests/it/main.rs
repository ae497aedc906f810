//! The daemon through its real socket, with a clock that the tests move.

#[cfg(test)]
mod harness;

#[cfg(test)]
mod content;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod frozen;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod waiting;
