//! What a group costs: one message for 63 others over one for one other.

use std::error::Error;

use crate::daemon::{Agent, Daemon};
use crate::figures::{Figure, median, timed};

/// Agents in the group, the sender among them: as many as a group has.
const MEMBERS: usize = 64;

/// Messages that a member leaves unread, at most: members read now and then.
const UNREAD: usize = 10;

/// Pairs of measurements.
const PAIRS: usize = 200;

/// A message to a group of 64 over a message to one agent.
pub(crate) fn group_send(daemon: &Daemon) -> Result<Figure, Box<dyn Error>> {
    let mut speaker = daemon.agent("speaker")?;
    let names: Vec<_> = (1..MEMBERS).map(|n| format!("member-{n}")).collect();
    let members = names.iter().map(|name| daemon.agent(name));
    let mut members: Vec<Agent> = members.collect::<Result<_, _>>()?;
    let mut single = daemon.agent("listener")?;
    let group = speaker.create_group(&names)?;
    let (mut groups, mut singles) = (Vec::new(), Vec::new());
    for number in 0..PAIRS {
        let text = format!("message {number}: the build is green, please review the change");
        groups.push(timed(|| speaker.send(&group, &text))?);
        singles.push(timed(|| speaker.send("listener", &text))?);
        if number % UNREAD == 0 {
            single.take_all()?;
            members.iter_mut().try_for_each(Agent::take_all)?;
        }
    }
    let ratio = median(&mut groups).as_secs_f64() / median(&mut singles).as_secs_f64();
    Ok(Figure::new(
        "send to a group of 64 over a single send, p50",
        ratio,
        4.0,
    ))
}
