//! Something else at the socket's path: nothing that matters is sent to it.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ipc_protocol::private;
use serde_json::{Value, json};

use crate::harness::{Home, Running, Said, python};

const SECRET: &str = "canary-of-the-shared-secret-77ab";

/// What a false server answers to the n-th request of a connection; with nothing, it closes.
type Answer = fn(&Value, usize) -> Vec<u8>;

/// A home whose socket a false server holds, and what a first command makes of it.
/// The server cannot name its peer's process id unless it asks the kernel, so `any_pid` has the
/// client accept any, as in a container.
fn meet(answer: Option<Answer>, any_pid: bool) -> (Said, Vec<Value>) {
    let home = Home::new();
    drop(private::ensure_directory(home.data_dir().root()).unwrap());
    private::write_file(&home.data_dir().secret(), SECRET.as_bytes()).unwrap();
    let listener = UnixListener::bind(home.data_dir().socket()).unwrap();
    let received = Mutex::new(Vec::new());
    let is_over = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                if let Some(answer) = answer {
                    serve(stream.unwrap(), answer, &received);
                }
            }
        });
        let mut command = home.command(&["--json", "register", "alice"]);
        command.env("IPC_ALLOW_NS", if any_pid { "1" } else { "" });
        let said = Said::of(&command.output().unwrap());
        is_over.store(true, Ordering::SeqCst);
        drop(UnixStream::connect(home.data_dir().socket()).unwrap());
        said
    });
    let alice = ipc_protocol::name::Name::parse("alice").unwrap();
    let kept = home.data_dir().agent(&alice);
    assert!(!kept.exists(), "nothing is kept of a false server");
    (said, received.into_inner().unwrap())
}

fn serve(mut stream: UnixStream, answer: Answer, received: &Mutex<Vec<Value>>) {
    for number in 0.. {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).is_err() {
            break;
        }
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        stream.read_exact(&mut payload).unwrap();
        let request: Value = serde_json::from_slice(&payload).unwrap();
        let bytes = answer(&request, number);
        received.lock().unwrap().push(request);
        if bytes.is_empty() {
            break;
        }
        stream.write_all(&bytes).unwrap();
    }
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length, payload].concat()
}

fn reply(request: &Value, result: &Value) -> Vec<u8> {
    let reply = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
    frame(reply.to_string().as_bytes())
}

/// A challenge as the real one, but for what `change` sets.
fn challenge(change: &Value) -> Value {
    let mut challenge = json!({
        "v": 1, "dep": "A".repeat(22), "sn": "A".repeat(43), "kid": "k1", "kdf": "argon2id",
        "params": "m=19456,t=2,p=1", "salt": "A".repeat(22),
        "peer": {"uid": own_uid(), "pid": 1}, "suid": own_uid(),
    });
    for (key, value) in change.as_object().unwrap() {
        challenge[key] = value.clone();
    }
    challenge
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The command must end as with a daemon that cannot be trusted, and have said only hello.
fn assert_nothing_was_told((said, received): &(Said, Vec<Value>), words: &str) {
    said.refused(3, &[words]);
    assert_eq!(said.error()["exit_status"], 3);
    assert!(said.error()["hint"].is_string(), "{said:?}");
    for request in received {
        assert_eq!(request["method"], "hello", "{request}");
        let text = request.to_string();
        assert!(
            !text.contains("canary") && !text.contains("proof"),
            "{text}"
        );
    }
}

#[test]
fn a_server_of_another_version_hears_no_proof() {
    let met = meet(
        Some(|hello, _| reply(hello, &challenge(&json!({"v": 2})))),
        false,
    );
    assert_nothing_was_told(&met, "another version of the protocol");
    assert_eq!(met.1.len(), 1);
}

#[test]
fn a_server_that_asks_for_a_cheap_or_endless_derivation_hears_no_proof() {
    let asks: [Answer; 5] = [
        |hello, _| reply(hello, &challenge(&json!({"params": "m=19455,t=2,p=1"}))),
        |hello, _| reply(hello, &challenge(&json!({"params": "m=1048576,t=2,p=1"}))),
        |hello, _| reply(hello, &challenge(&json!({"params": "m=19456,t=1,p=1"}))),
        |hello, _| {
            reply(
                hello,
                &challenge(&json!({"kdf": "scrypt", "params": "N=1024,r=8,p=1"})),
            )
        },
        |hello, _| {
            reply(
                hello,
                &challenge(&json!({"kdf": "none", "params": "", "salt": ""})),
            )
        },
    ];
    for ask in asks {
        let met = meet(Some(ask), true);
        assert_nothing_was_told(&met, "outside safe bounds");
    }
}

#[test]
fn a_server_that_sees_another_process_is_a_relay_and_hears_no_proof() {
    let met = meet(Some(|hello, _| reply(hello, &challenge(&json!({})))), false);
    assert_nothing_was_told(&met, "sees another process");
}

#[test]
fn a_server_that_closes_at_once_is_unreachable() {
    // Closed before it was written to, the stream breaks: `Broken pipe`.
    assert_nothing_was_told(&meet(None, false), "the daemon");
    let met = meet(Some(|_, _| Vec::new()), false);
    assert_nothing_was_told(&met, "closed the connection");
    assert!(met.1.len() <= 4, "tried again a few times, not for ever");
}

#[test]
fn a_server_that_talks_nonsense_is_unreachable() {
    let talks: [Answer; 5] = [
        |_, _| b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        |_, _| frame(b"{}"),
        |_, _| frame(b"\xff\xfe not json"),
        |_, _| vec![0, 0, 0, 0],
        |hello, _| reply(hello, &json!({"v": 1})),
    ];
    for talk in talks {
        assert_nothing_was_told(&meet(Some(talk), false), "not of this protocol");
    }
}

#[test]
fn a_server_that_knows_no_secret_learns_a_proof_and_nothing_after_it() {
    let home = Home::new();
    drop(private::ensure_directory(home.data_dir().root()).unwrap());
    private::write_file(&home.data_dir().secret(), SECRET.as_bytes()).unwrap();
    let listener = UnixListener::bind(home.data_dir().socket()).unwrap();
    let received = Mutex::new(Vec::new());
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The first connection only asks whether a daemon is there, if it asks at all.
            while received.lock().unwrap().len() < 2 {
                let (stream, _) = listener.accept().unwrap();
                let answer: Answer = |request, number| match number {
                    0 => reply(request, &challenge(&json!({}))),
                    _ => reply(request, &json!({"sig": "A".repeat(43)})),
                };
                serve(stream, answer, &received);
            }
        });
        let mut command = home.command(&["--json", "register", "alice"]);
        Said::of(&command.env("IPC_ALLOW_NS", "1").output().unwrap())
    });
    said.refused(3, &["could not prove that it knows the credential"]);
    let received = received.into_inner().unwrap();
    let methods: Vec<_> = received
        .iter()
        .map(|r| r["method"].as_str().unwrap())
        .collect();
    assert_eq!(
        methods,
        ["hello", "authenticate"],
        "and no `register` after it"
    );
    assert!(!json!(received).to_string().contains("canary"));
}

/// Binds the socket at its first argument as user 65534, and prints what it is sent.
const FOREIGN: &str = "
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
listener.listen()
print('listening', flush=True)
stream, _ = listener.accept()
print(len(stream.recv(4096)), flush=True)
";

#[test]
fn a_server_of_another_user_is_sent_not_one_byte() {
    let home = Home::new();
    let open = tempfile::Builder::new().prefix("ipc-").tempdir().unwrap();
    std::fs::set_permissions(open.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let socket = open.path().join("ipc.sock");
    if own_uid() != 0 {
        // Only root can make a process of another user. That everybody else is told whose file or
        // socket it is rests on the same comparison with the own user, shown here on a directory.
        let refused = home.run(&["--data-dir", "/", "register", "alice"]);
        refused.refused(1, &["belongs to user 0, not to you"]);
        return;
    }
    let mut command = python(FOREIGN);
    command.arg(&socket).stdin(Stdio::null());
    let mut server = Running::start(&mut command);
    assert_eq!(server.line(), "listening\n");
    drop(private::ensure_directory(home.data_dir().root()).unwrap());
    private::write_file(&home.data_dir().secret(), SECRET.as_bytes()).unwrap();
    let mut command = home.command(&["register", "alice"]);
    let said = Said::of(&command.env("IPC_SOCKET", &socket).output().unwrap());
    said.refused(
        3,
        &[
            "belongs to user 65534, not to you; nothing was sent",
            "hint: ",
        ],
    );
    assert_eq!(server.line(), "0\n", "bytes that it received");
}
