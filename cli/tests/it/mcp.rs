//! `ipc mcp` as hosts use it: real servers in windows of their own, spoken to line by line.

mod bad_input;
mod clients;
mod daemon_gone;
mod delivery;
mod enrolment;
mod exchange;
mod history;
mod names;
mod notices;
mod rendering;
mod sharing;
mod tools;
mod transcripts;
