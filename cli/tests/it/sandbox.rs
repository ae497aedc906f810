//! What the running daemon has shut itself in with, seen from outside.

use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};

use ipc_protocol::private;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::harness::{Home, Running, Said, program, python};

/// What a file of the kernel says after `key:`.
pub(crate) fn facts(path: &str, key: &str) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix(key));
    let values = lines.filter_map(|rest| rest.strip_prefix(':'));
    values.map(|value| value.trim().to_owned()).collect()
}

#[test]
fn every_thread_of_the_daemon_is_in_the_sandbox() {
    let home = Home::new();
    home.register("alice");
    let pid = home.daemon_pid();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let tasks: Vec<_> = tasks.map(|task| task.unwrap().path()).collect();
    assert!(tasks.len() > 1, "it has threads: {tasks:?}");
    for task in tasks {
        let status = task.join("status").display().to_string();
        assert_eq!(facts(&status, "NoNewPrivs"), ["1"], "{status}");
        assert_eq!(facts(&status, "Seccomp"), ["2"], "{status}");
        assert_eq!(facts(&status, "CapEff"), ["0000000000000000"], "{status}");
    }
    let said = home.json(&["status"]);
    assert_eq!(said["sandbox"]["system_calls"], true, "{said}");
    let people = home.ok(&["status"]);
    assert!(people.contains("\nsandbox      "), "{people}");
    assert!(people.contains("system calls\n"), "{people}");
    let metrics = home.ok(&["status", "--metrics"]);
    assert!(
        metrics.contains("\nipc_sandbox_system_calls 1\n"),
        "{metrics}"
    );
}

#[test]
fn the_limits_of_the_daemon_are_its_own() {
    let home = Home::new();
    home.register("alice");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", home.daemon_pid())).unwrap();
    let of = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        let words = line.unwrap().split_whitespace().map(str::to_owned);
        words.take(2).collect::<Vec<_>>()
    };
    assert_eq!(of("Max core file size"), ["0", "0"]);
    let [soft, hard] = &of("Max open files")[..] else {
        panic!("{limits}");
    };
    assert_eq!(soft, hard);
    assert!(soft.parse::<u64>().unwrap() <= 4_096, "{soft}");
}

#[test]
fn a_configuration_that_requires_the_sandbox_or_wants_none_is_followed_and_said() {
    let home = Home::new();
    home.configure("sandbox = \"off\"\n");
    home.register("alice");
    let said = home.json(&["status"]);
    let none = json!({"landlock": 0, "system_calls": false});
    assert_eq!(said["sandbox"], none);
    let people = home.ok(&["status"]);
    assert!(
        people.contains("\nsandbox      none: see `sandbox`"),
        "{people}"
    );
    let log = std::fs::read_to_string(home.data_dir().log()).unwrap();
    assert!(log.contains("in no sandbox"), "{log}");
    home.configure("sandbox = \"required\"\n");
    let refused = home.run(&["daemon", "restart"]);
    refused.refused(3, &["unknown variant `required`", "`require`"]);
}

/// As an ordinary user, looks into a process that lets itself be looked into, and then into the
/// daemon; prints what could be had of each. Ends the daemon in the way that leaves a core file.
const LOOK: &str = "
import ctypes, os, resource, signal, subprocess, sys

program, home = sys.argv[1:]
if os.getuid() == 0:
    os.chown(home, 65534, 65534)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    # Who changed its user is closed itself, and so would be what it starts before an exec.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
libc = ctypes.CDLL(None, use_errno=True)

def had(pid):
    things = []
    for name in ('environ', 'mem', 'maps'):
        try:
            with open(f'/proc/{pid}/{name}', 'rb') as file:
                if name != 'mem':
                    file.read()
            things.append(name)
        except PermissionError:
            pass
    try:
        os.readlink(f'/proc/{pid}/exe')
        things.append('exe')
    except PermissionError:
        pass
    if libc.ptrace(16, pid, None, None) == 0:
        os.waitpid(pid, 0)
        libc.ptrace(17, pid, None, None)
        things.append('ptrace')
    return ' '.join(things)

def unlimited():
    resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE))

control = subprocess.Popen(['/bin/cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
control.stdin.write(b'1')
control.stdout.read(1)
print(had(control.pid), flush=True)
control.communicate()

daemon = subprocess.Popen([program, 'daemon', 'run'], env={'HOME': home}, cwd=home,
                          stderr=subprocess.PIPE, preexec_fn=unlimited)
while b'\"ready\"' not in daemon.stderr.readline():
    pass
print(had(daemon.pid), flush=True)
os.kill(daemon.pid, signal.SIGABRT)
_, status = os.waitpid(daemon.pid, 0)
print(os.WTERMSIG(status) == signal.SIGABRT, os.WCOREDUMP(status), flush=True)
";

#[test]
fn no_process_of_the_same_user_looks_into_the_daemon_and_it_leaves_no_core() {
    let home = Home::new();
    // Where an ordinary user reaches it, whoever runs this.
    let open = std::fs::Permissions::from_mode(0o755);
    let shop = tempfile::Builder::new()
        .prefix("ipc-")
        .permissions(open)
        .tempdir();
    let shop = shop.unwrap();
    let program = shop.path().join("ipc");
    std::fs::copy(env!("CARGO_BIN_EXE_ipc"), &program).unwrap();
    let mut command = python(LOOK);
    command.arg(&program).arg(home.path());
    let mut looking = Running::start(&mut command);
    assert_eq!(
        looking.line(),
        "environ mem maps exe ptrace\n",
        "the control"
    );
    assert_eq!(looking.line(), "\n", "what the daemon shows");
    assert_eq!(looking.line(), "True False\n", "killed, without a core");
}

/// Whether the memory of a process holds `bytes`; an error where it cannot be looked into.
fn memory_holds(pid: u32, bytes: &[u8]) -> std::io::Result<bool> {
    let memory = std::fs::File::open(format!("/proc/{pid}/mem"))?;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let parts = maps.lines().filter_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let of = |text| u64::from_str_radix(text, 16).ok();
        rest.starts_with("rw").then_some((of(from)?, of(to)?))
    });
    Ok(parts.into_iter().any(|(from, to)| {
        let mut part = vec![0; usize::try_from(to.saturating_sub(from)).unwrap()];
        let is_there = memory.read_exact_at(&mut part, from).is_ok();
        is_there && part.windows(bytes.len()).any(|window| window == bytes)
    }))
}

/// A user who is not root is refused, which is what keeps the memory from them.
#[test]
fn a_daemon_that_a_command_started_keeps_the_secret_nowhere_once_it_has_compared_it() {
    let home = Home::new();
    home.register("alice");
    home.ok(&["daemon", "stop"]);
    // The first start made the secret; from the second on it is handed over.
    home.ok(&["daemon", "start"]);
    let secret = std::fs::read(home.data_dir().secret()).unwrap();
    let pid = home.daemon_pid();
    if !rustix::process::geteuid().is_root() {
        let refused = memory_holds(pid, &secret).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
        return;
    }
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    assert!(
        memory_holds(pid, version).unwrap(),
        "what is there is found"
    );
    // It is compared after the daemon is ready: each look gives it the time of a command.
    let is_gone = |_: &i32| {
        home.ok(&["status"]);
        !memory_holds(pid, secret.trim_ascii_end()).unwrap()
    };
    assert!((0..50).find(is_gone).is_some(), "it is still there");
}

/// Asks the old port once, as the predecessor's clients do: a connection for each request.
fn ask_old_port(address: &str, request: &serde_json::Value) -> serde_json::Value {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(request.to_string().as_bytes()).unwrap();
    let mut reply = vec![0; 65_536];
    let length = stream.read(&mut reply).unwrap();
    serde_json::from_slice(&reply[..length]).unwrap()
}

#[test]
fn the_old_port_works_in_the_sandbox() {
    const SECRET: &str = "correct horse battery staple";
    let home = Home::new();
    home.configure("[legacy]\ntcp = \"127.0.0.1:0\"\n");
    private::write_file(&home.data_dir().secret(), SECRET.as_bytes()).unwrap();
    let alice = home.register("alice");
    let status = home.json(&["status"]);
    assert_eq!(status["sandbox"]["system_calls"], true, "{status}");
    let address = status["old_port"]["address"].as_str().unwrap();
    let proof = data_encoding::HEXLOWER.encode(&Sha256::digest(format!("bob:{SECRET}")));
    let request = json!({"action": "register", "instance_id": "bob", "auth_token": proof});
    let registered = ask_old_port(address, &request);
    let token = registered["session_token"].as_str().unwrap();
    let request = json!({"action": "send", "from_id": "bob", "to_id": "alice", "session_token": token,
        "message": {"content": "from the old days"}});
    let sent = ask_old_port(address, &request);
    assert_eq!(sent["status"], "ok", "{sent}");
    assert_eq!(alice.texts(), ["from the old days"]);
}

/// Starts a command with the writing end of a pipe in hand, as a shell may; says whether the pipe
/// ends when the command has.
const HOLDING: &str = "
import os, select, subprocess, sys
reading, writing = os.pipe()
os.set_inheritable(writing, True)
subprocess.run(sys.argv[1:], check=True, close_fds=False, stdout=subprocess.DEVNULL)
os.close(writing)
ready, _, _ = select.select([reading], [], [], 30)
print('ended' if ready and os.read(reading, 1) == b'' else 'held')
";

#[test]
fn the_daemon_holds_nothing_open_of_the_command_that_started_it() {
    let home = Home::new();
    let mut command = python(HOLDING);
    command.env("HOME", home.path()).arg(program());
    let said = Said::of(&command.args(["register", "alice"]).output().unwrap());
    assert_eq!(said.out, "ended\n", "{said:?}");
    assert!(
        home.data_dir().daemon_lock().exists(),
        "a daemon was started"
    );
}

/// The same with a daemon in the foreground, which the pipe must have left when it serves.
const IN_THE_FOREGROUND: &str = "
import os, select, subprocess, sys
reading, writing = os.pipe()
os.set_inheritable(writing, True)
daemon = subprocess.Popen(sys.argv[1:], close_fds=False, stderr=subprocess.PIPE)
os.close(writing)
line = b' '
while line and b'\"ready\"' not in line:
    line = daemon.stderr.readline()
ready, _, _ = select.select([reading], [], [], 0)
print('ended' if ready and os.read(reading, 1) == b'' else 'held')
print(daemon.pid, open(f'/proc/{daemon.pid}/comm').read().strip())
daemon.terminate()
print(daemon.wait())
";

#[test]
fn a_daemon_in_the_foreground_holds_nothing_open_of_its_starter() {
    for words in [&["daemon", "run"][..], &["daemon", "run", "--"]] {
        let home = Home::new();
        let mut command = python(IN_THE_FOREGROUND);
        command.env("HOME", home.path()).arg(program());
        let said = Said::of(&command.args(words).output().unwrap());
        let pid = home.daemon_pid();
        assert_eq!(said.out, format!("ended\n{pid} ipc\n0\n"), "{said:?}");
    }
}

#[test]
fn a_socket_elsewhere_works_in_the_sandbox_and_again_after_a_stop() {
    let home = Home::new();
    let socket = home.path().join("elsewhere.sock");
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        let said = Said::of(&command.env("IPC_SOCKET", &socket).output().unwrap());
        assert_eq!(said.status, 0, "{arguments:?}: {said:?}");
        said.out
    };
    run(&["register", "alice"]);
    run(&["daemon", "stop"]);
    run(&["--as", "alice", "send", "alice", "still here"]);
    assert!(run(&["--as", "alice", "check"]).contains("still here"));
    assert!(!home.data_dir().root().join("ipc.sock").exists());
    run(&["daemon", "stop"]);
}

#[test]
fn a_damaged_store_is_replaced_by_its_backup_in_the_sandbox() {
    let home = Home::new();
    let bob = home.register("bob");
    home.register("alice").send("bob", "kept");
    home.ok(&["admin", "backup"]);
    home.ok(&["daemon", "stop"]);
    std::fs::write(
        home.data_dir().database(),
        [b"SQLite format 3\0".as_slice(), &[7; 8_192]].concat(),
    )
    .unwrap();
    private::write_file(&home.data_dir().damage_marker(), b"seen").unwrap();
    home.ok(&["daemon", "start"]);
    assert_eq!(home.json(&["status"])["sandbox"]["system_calls"], true);
    home.ok(&["register", "bob"]);
    assert_eq!(bob.texts(), ["kept"]);
}
