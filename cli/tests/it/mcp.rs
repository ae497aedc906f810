//! `ipc mcp` as hosts use it: real servers in windows of their own, spoken to line by line.

mod daemon_gone;
mod delivery;
mod enrolment;
mod names;
