//! The program `ipc` as people and scripts use it: real processes, real sockets, a fresh home.

#[cfg(test)]
mod harness;

#[cfg(test)]
mod admin;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod autostart;
#[cfg(test)]
mod boundaries;
#[cfg(test)]
mod claude_notices;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod false_server;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod foreign;
#[cfg(test)]
mod guides;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod incident;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod phrases;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod power;
#[cfg(test)]
mod presence;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod service;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod shim;
#[cfg(test)]
mod story;
#[cfg(test)]
mod story_of_three;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod watch_exec;
#[cfg(test)]
mod windows;
