//! An agent that waits for mail on a thread of its own, and confirms what comes.

use std::error::Error;
use std::sync::mpsc::{self, Receiver};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::daemon::Agent;

/// Whoever waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    taken: Receiver<Instant>,
    thread: JoinHandle<()>,
}

impl Waiter {
    /// Has `reader` wait from now on.
    pub(crate) fn start(mut reader: Agent) -> Result<Self, Box<dyn Error>> {
        let (in_hand, taken) = mpsc::channel();
        let thread = Builder::new().spawn(move || {
            // Ends with the first wait that fails, or when nobody listens any more.
            while let Ok(at) = reader.wait_for_one() {
                if in_hand.send(at).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { taken, thread })
    }

    /// How long after `begun` it has the next message in hand.
    pub(crate) fn since(&self, begun: Instant) -> Result<Duration, Box<dyn Error>> {
        Ok(self.taken.recv()?.saturating_duration_since(begun))
    }

    /// Ends it with one more message of `sender` to `name`, which is what it is called.
    pub(crate) fn end(self, sender: &mut Agent, name: &str) -> Result<(), Box<dyn Error>> {
        drop(self.taken);
        sender.send(name, "that is all")?;
        let ended = self.thread.join();
        ended.map_err(|_| "the reader ended badly".into())
    }
}
