//! What would take long in real time: enrolling late, leaving, trying again.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::{Fetch, Fetched};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Waited};
use crate::failure::Failure;
use crate::fake::{Connect, FakeDoor, Said, unavailable};
use crate::limits::{ATTEMPTS, CALLS, LEAVING};
use crate::{Options, run};

/// More than `initialize` is answered with, less than the list of tools.
const PIPE: usize = 12_000;

const WAIT: Duration = Duration::from_mins(4);

fn idle() -> FakeDoor {
    FakeDoor::new(|_, _| Said::Nothing)
}

/// A server, with the host's ends of its two streams.
fn serve(door: &FakeDoor) -> (impl Future<Output = ()>, DuplexStream, DuplexStream) {
    let (to_server, input) = duplex(PIPE);
    let (output, from_server) = duplex(PIPE);
    let door = Arc::new(door.clone());
    let served = run(
        door,
        Options::default(),
        (input, output),
        CancellationToken::new(),
    );
    (served, to_server, from_server)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_nobody_uses_enrols_after_10_seconds_and_not_before() {
    let (door, begun) = (idle(), Instant::now());
    let (served, _input, _output) = serve(&door);
    let mut enrolled = door.enrolled.subscribe();
    let watched = async {
        sleep(Duration::from_millis(9_900)).await;
        assert_eq!(*door.enrolled.borrow(), 0);
        enrolled.wait_for(|times| *times > 0).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 10);
        sleep(Duration::from_hours(1)).await;
        assert_eq!(*door.enrolled.borrow(), 1, "once");
    };
    tokio::select! {
        () = served => panic!("the host is there"),
        () = watched => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_leaves_within_10_seconds_makes_no_agent() {
    let (door, begun) = (idle(), Instant::now());
    let (served, input, _output) = serve(&door);
    let leaves = async {
        sleep(Duration::from_millis(9_900)).await;
        drop(input);
    };
    tokio::join!(served, leaves);
    assert!(begun.elapsed() < Duration::from_millis(9_950));
    sleep(Duration::from_hours(1)).await;
    assert_eq!(*door.enrolled.borrow(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_reads_no_more_does_not_hold_the_server_once_it_has_left() {
    let (door, begun) = (idle(), Instant::now());
    let (served, mut input, _unread) = serve(&door);
    let leaves = async {
        let introduction = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }});
        let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}});
        for line in [introduction, list] {
            input
                .write_all(format!("{line}\n").as_bytes())
                .await
                .unwrap();
        }
        sleep(Duration::from_secs(1)).await;
        drop(input);
    };
    tokio::join!(served, leaves);
    let took = begun.elapsed();
    assert!(
        took > LEAVING && took < LEAVING.saturating_mul(2),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_leaves_while_it_listens_is_not_waited_for() {
    for uri in ["ipc://inbox", "ipc://outbox"] {
        let (door, begun) = (idle(), Instant::now());
        let (served, mut input, output) = serve(&door);
        let leaves = async {
            let listen = json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {
                "notifications": {"resourceSubscriptions": [uri]},
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                    "io.modelcontextprotocol/clientCapabilities": {},
                },
            }});
            input
                .write_all(format!("{listen}\n").as_bytes())
                .await
                .unwrap();
            let mut lines = BufReader::new(output).lines();
            let heard = lines.next_line().await.unwrap().unwrap();
            assert!(heard.contains("acknowledged"), "{heard}");
            drop(input);
            lines
        };
        let ((), _still_open) = tokio::join!(served, leaves);
        assert!(begun.elapsed() < Duration::from_secs(1), "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_so_many_calls_run_at_once_and_the_next_takes_its_turn() {
    let desk = Desk::new(Arc::new(idle()), CancellationToken::new());
    let never = CancellationToken::new();
    let mut turns = Vec::new();
    for _ in 0..CALLS {
        turns.push(desk.turn(&never).await.unwrap());
    }
    let too_many = tokio::time::timeout(WAIT, desk.turn(&never)).await;
    assert!(too_many.is_err());
    turns.pop();
    assert!(tokio::time::timeout(WAIT, desk.turn(&never)).await.is_ok());
}

fn nothing() -> Said {
    Said::Reply(json!({"messages": [], "waiting": 3}))
}

/// Waits for mail at a desk behind `door`.
async fn fetch(
    door: &FakeDoor,
    given_up: &CancellationToken,
) -> (Arc<Desk>, Result<Waited<Fetched>, Failure>) {
    let desk = Arc::new(Desk::new(Arc::new(door.clone()), CancellationToken::new()));
    let ask = |wait_ms| Fetch {
        wait_ms,
        ..Fetch::default()
    };
    let waited = desk.wait_for(WAIT, given_up, ask).await;
    (desk, waited)
}

fn is_answered(waited: Result<Waited<Fetched>, Failure>) -> bool {
    matches!(waited, Ok(Waited::Answered(fetched)) if fetched.waiting == 3)
}

#[tokio::test(start_paused = true)]
async fn a_wait_finds_a_daemon_that_was_lost_again_and_says_so() {
    let door = FakeDoor::new(|at, _| if at < 2 { Said::HangsUp } else { nothing() });
    let (desk, waited) = fetch(&door, &CancellationToken::new()).await;
    assert!(is_answered(waited));
    assert_eq!(door.heard(), ["fetch"; 3]);
    let notes = desk.take_notes();
    assert!(
        notes.len() == 1 && notes[0].contains("connected again"),
        "{notes:?}"
    );
    assert_eq!(desk.take_notes(), Vec::<String>::new(), "said once");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_lost_again_and_again_is_given_up() {
    let door = FakeDoor::new(|_, _| Said::HangsUp);
    let (_, waited) = fetch(&door, &CancellationToken::new()).await;
    assert!(waited.unwrap_err().is_lost);
    assert_eq!(door.heard().len(), usize::try_from(ATTEMPTS).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_stops_is_waited_for_and_not_started() {
    let mut door = FakeDoor::new(|at, _| match at {
        0 => unavailable(1_000),
        _ => nothing(),
    });
    door.away = 2 * usize::try_from(ATTEMPTS).unwrap();
    let (_, waited) = fetch(&door, &CancellationToken::new()).await;
    assert!(is_answered(waited));
    let looks = vec![Connect::Running; door.away + 1];
    let (first, last) = (vec![Connect::Started], vec![Connect::Started]);
    assert_eq!(door.asked_for(), [first, looks, last].concat());
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_ends_before_another_daemon_runs_says_why_and_starts_none() {
    let mut door = FakeDoor::new(|_, _| unavailable(1_000));
    door.away = usize::MAX;
    let (_, waited) = fetch(&door, &CancellationToken::new()).await;
    assert_eq!(waited.unwrap_err().code, Some(ErrorCode::Unavailable));
    let started = door.asked_for().into_iter();
    let started = started.filter(|how| *how == Connect::Started);
    assert_eq!(started.count(), 1, "for the wait itself");
}

#[tokio::test(start_paused = true)]
async fn a_wait_comes_back_with_the_kept_credential_when_its_session_ended() {
    let door = FakeDoor::new(|at, _| match at {
        0 => Said::Refusal(Refusal::new(ErrorCode::Expired, "the session has ended")),
        _ => nothing(),
    });
    let (desk, waited) = fetch(&door, &CancellationToken::new()).await;
    assert!(is_answered(waited));
    assert_eq!(*door.came_back.borrow(), 1);
    let notes = desk.take_notes().join("\n");
    assert!(notes.contains("registered again as alice"), "{notes}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_a_wait_at_once() {
    let refusal = || Refusal::new(ErrorCode::TakenOver, "another took it over");
    let door = FakeDoor::new(move |_, _| Said::Refusal(refusal()));
    let (_, waited) = fetch(&door, &CancellationToken::new()).await;
    assert_eq!(waited.unwrap_err().code, Some(ErrorCode::TakenOver));
    assert_eq!(door.heard(), ["fetch"]);
    assert_eq!(*door.came_back.borrow(), 0, "a takeover is the end");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_hangs_up() {
    let given_up = CancellationToken::new();
    let word = given_up.clone();
    let door = FakeDoor::new(move |_, _| {
        word.cancel();
        Said::Nothing
    });
    let (_desk, waited) = fetch(&door, &given_up).await;
    assert!(matches!(waited, Ok(Waited::GivenUp(None))));
    let mut closed = door.closed.subscribe();
    closed.wait_for(|times| *times == 1).await.unwrap();
}
