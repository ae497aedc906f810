//! `notice`: is there mail to tell an agent of, and who tells it.
//!
//! One front-end tells of what waits, once: an agent has a hook, a monitor and a server at the same
//! time. [`docs/decisions/0016`] has the rules.
//!
//! [`docs/decisions/0016`]: ../../../docs/decisions/0016-one-notice-for-what-waits.md

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::AutoCheckMode;
use ipc_protocol::request::{Notice, NoticeReport};
use ipc_protocol::time::Timestamp;

use super::sender;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::limits::{LOST_NOTICE_MS, MINUTE_MS};
use crate::store::auto_checks::{self, AutoCheckRow};
use crate::store::context::{Context, View};
use crate::store::deliveries;
use crate::store::unread::{self, Unread};

/// What there is to tell, and when to look again.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) report: NoticeReport,
    /// When something is due that is not now, unless mail comes before; nothing when only mail
    /// will do.
    pub(crate) again: Option<Timestamp>,
}

/// When an agent is told of what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Now.
    Now,
    /// Then, if it still waits.
    At(Timestamp),
    /// Not before something else comes, or never.
    NotOfThis,
}

/// Whether something is due; if the request asks to tell it, it is the caller who does.
pub(crate) fn notice(request: &Notice, caller: &Caller, context: &Context<'_>) -> Done<Looked> {
    if request.afresh {
        auto_checks::settle(context.db, caller.agent())?;
    }
    let looked = look(request, caller, context)?;
    if request.tell
        && looked.report.is_due
        && let Some(unread) = unread::of(context, caller.agent())?
    {
        let now = context.now.wall;
        auto_checks::told(context.db, caller.agent(), unread.newest, now)?;
    }
    Ok(looked)
}

/// Whether something is due; nothing changes.
pub(crate) fn look(request: &Notice, caller: &Caller, view: &View<'_>) -> Done<Looked> {
    if request.tell && request.newer_than.is_some() || request.afresh && !request.tell {
        return refuse(
            ErrorCode::Malformed,
            "`newer_than` goes without `tell`, and `afresh` only with it",
            "docs/PROTOCOL.md, `notice`, has the fields",
        );
    }
    let agent = caller.agent();
    let name = sender::of(view, agent)?.name;
    let row = auto_checks::find(view.db, agent)?;
    let unread = unread::of(view, agent)?;
    let (_, lease_end) = deliveries::waiting(view, agent)?;
    let due = match &unread {
        None => Due::NotOfThis,
        Some(unread) if request.tell => when(&row, unread, view.now.wall),
        Some(unread) => match request.newer_than {
            Some(id) if unread::position(view, agent, id)? >= Some(unread.newest) => Due::NotOfThis,
            Some(_) | None => Due::Now,
        },
    };
    let reminder = if let Due::At(at) = due {
        Some(at)
    } else {
        None
    };
    Ok(Looked {
        report: report(name, unread, due == Due::Now, row.mode),
        again: [reminder, lease_end].into_iter().flatten().min(),
    })
}

/// When the agent is told of `unread`, if nobody reads it before.
pub(crate) fn when(row: &AutoCheckRow, unread: &Unread, now: Timestamp) -> Due {
    if row.mode == AutoCheckMode::Off {
        return Due::NotOfThis;
    }
    let (Some(told), Some(upto)) = (row.told, row.outstanding) else {
        return Due::Now;
    };
    // All that it was told of has been taken in some other way.
    if unread.oldest > upto {
        return Due::Now;
    }
    let lost = (unread.newest > upto).then_some(LOST_NOTICE_MS);
    let minutes = |minutes: u32| i64::from(minutes).saturating_mul(MINUTE_MS);
    let Some(pause) = lost.into_iter().chain(row.minutes.map(minutes)).min() else {
        return Due::NotOfThis;
    };
    // Told in the future: the clock was set back since, and says nothing.
    if (0..pause).contains(&now.millis_since(told)) {
        Due::At(told.plus_millis(pause))
    } else {
        Due::Now
    }
}

fn report(
    name: ipc_protocol::name::Name,
    unread: Option<Unread>,
    is_due: bool,
    mode: AutoCheckMode,
) -> NoticeReport {
    let newest = unread.as_ref().map(|unread| unread.newest_id);
    let (waiting, senders, more_senders) = unread.map_or((0, Vec::new(), 0), |unread| {
        (unread.number, unread.senders, unread.more_senders)
    });
    NoticeReport {
        name,
        waiting,
        senders,
        more_senders,
        newest,
        is_due,
        mode,
    }
}

#[cfg(test)]
mod tests {
    use ipc_protocol::id::MessageId;

    use super::*;
    use crate::actions::harness::Desk;
    use crate::store::messages::Seq;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn unread(oldest: i64, newest: i64) -> Unread {
        Unread {
            number: 1,
            senders: Vec::new(),
            more_senders: 0,
            oldest: Seq(oldest),
            newest: Seq(newest),
            newest_id: MessageId::from_row(1),
        }
    }

    /// Told `ago` milliseconds before now of everything up to message 5.
    fn told(ago: i64, mode: AutoCheckMode, minutes: Option<u32>) -> AutoCheckRow {
        AutoCheckRow {
            mode,
            minutes,
            started: None,
            told: Some(NOW.plus_millis(ago.saturating_neg())),
            outstanding: Some(Seq(5)),
        }
    }

    #[test]
    fn what_is_due_follows_from_what_was_told_and_what_waits() {
        use AutoCheckMode::{Arrival, Every, Off};
        let at = |ago: i64| Due::At(NOW.plus_millis(ago));
        let cases = [
            (told(1, Arrival, None), unread(5, 5), Due::NotOfThis),
            (told(1, Arrival, None), unread(6, 6), Due::Now),
            (told(1, Arrival, None), unread(5, 6), at(299_999)),
            (told(300_000, Arrival, None), unread(5, 6), Due::Now),
            (told(1, Every, Some(1)), unread(5, 5), at(59_999)),
            (told(1, Every, Some(60)), unread(5, 6), at(299_999)),
            (told(1, Every, Some(2)), unread(5, 6), at(119_999)),
            (told(60_000, Every, Some(1)), unread(5, 5), Due::Now),
            (told(-1, Every, Some(1)), unread(5, 5), Due::Now),
            (told(-1, Arrival, None), unread(5, 5), Due::NotOfThis),
            (told(i64::MAX, Off, None), unread(6, 6), Due::NotOfThis),
            (AutoCheckRow::default(), unread(1, 1), Due::Now),
        ];
        for (row, unread, expected) in cases {
            assert_eq!(when(&row, &unread, NOW), expected, "{row:?} {unread:?}");
        }
    }

    #[test]
    fn looking_writes_nothing_and_telling_is_written_down() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let bob = desk.register("bob", false).unwrap();
        desk.send(&alice, "bob", "hello").unwrap();
        let ask = |desk: &mut Desk, tell: bool| {
            let request = Notice {
                tell,
                ..Notice::default()
            };
            let looked = desk.act_as(&bob, |c| notice(&request, &bob, c)).unwrap();
            looked.report.is_due
        };
        assert!(ask(&mut desk, false));
        assert_eq!(desk.number("SELECT count(*) FROM auto_checks"), 0);
        assert!(ask(&mut desk, true));
        assert!(!ask(&mut desk, true));
        desk.fetch(&bob);
        assert!(!ask(&mut desk, true), "leased");
        desk.pass(61);
        assert!(ask(&mut desk, true), "the lease has ended");
        desk.pass(8 * 86_400);
        desk.sweep();
        assert_eq!(
            desk.number("SELECT count(*) FROM auto_checks"),
            0,
            "forgotten"
        );
    }
}
