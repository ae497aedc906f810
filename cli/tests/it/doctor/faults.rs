//! Faults of the data directory, its files, the secret, the socket, the daemon and the program.

use ipc_protocol::private;
use rustix::process::{Pid, Signal, kill_process};

use super::Practice;

#[test]
fn loose_modes_are_cured() {
    let practice = Practice::used();
    practice.cured("chmod 750 ~/.claude-ipc-data", "problem", "has mode 0750");
    for file in ["secret", "messages.db", "agents/alice.json"] {
        let file = practice.root().join(file);
        let before = format!("chmod 644 {}", file.display());
        let what = format!("{} has mode 0644", file.display());
        practice.cured(&before, "problem", &what);
    }
    let agents = practice.root().join("agents");
    practice.cured(
        &format!("chmod 711 {}", agents.display()),
        "problem",
        "agents has mode 0711",
    );
}

#[test]
fn what_is_not_a_directory_or_file_of_its_own_is_cured() {
    let practice = Practice::new();
    practice.cured("ln -s /tmp ~/.claude-ipc-data", "problem", "is a link");
    let practice = Practice::new();
    practice.cured("echo x > ~/.claude-ipc-data", "problem", "is no directory");
    let practice = Practice::used();
    practice.cured(
        "ln -s /etc/passwd ~/.claude-ipc-data/extra",
        "problem",
        "extra is a link",
    );
}

#[test]
fn what_belongs_to_somebody_else_is_told_and_cured_by_root() {
    // Only root can give a file away; anybody else meets one of root's.
    if rustix::process::geteuid().is_root() {
        let practice = Practice::used();
        practice.cured(
            "chown 12345 ~/.claude-ipc-data/secret",
            "problem",
            "secret belongs to user 12345",
        );
        practice.cured(
            "chown 12345 ~/.claude-ipc-data",
            "problem",
            "data belongs to user 12345",
        );
    } else {
        let practice = Practice::new();
        let bad = practice.bad_after("export IPC_DATA_DIR=/etc");
        let words = bad.iter().map(|finding| finding["what"].as_str().unwrap());
        assert!(
            words
                .clone()
                .any(|what| what.contains("/etc belongs to user 0")),
            "{bad:#?}"
        );
    }
}

#[test]
fn a_directory_above_that_others_may_write_to_is_cured() {
    let practice = Practice::used();
    practice.cured(
        "chmod 777 ~",
        "problem",
        "others can exchange what is in it",
    );
}

#[test]
fn a_weak_or_impossible_secret_is_cured() {
    let practice = Practice::new();
    let weak = "IPC_SHARED_SECRET=only-12-byte ipc register alice >&2; ipc daemon stop >&2";
    practice.cured(weak, "problem", "easy to guess");
    let practice = Practice::used();
    private::write_file(&practice.home.data_dir().secret(), b"short").unwrap();
    practice.cured("", "problem", "shorter than 8 bytes");
    let practice = Practice::used();
    practice.cured(
        "export IPC_SHARED_SECRET=another-secret-of-mine",
        "note",
        "IPC_SHARED_SECRET is set",
    );
    let practice = Practice::used();
    std::fs::remove_file(practice.home.data_dir().secret()).unwrap();
    let bad = practice.bad_after("");
    assert!(
        bad.iter().any(|note| note["what"]
            .as_str()
            .unwrap()
            .contains("need IPC_SHARED_SECRET")),
        "{bad:#?}"
    );
}

#[test]
fn a_secret_that_was_exchanged_is_cured() {
    let practice = Practice::used();
    let secret = practice.home.data_dir().secret();
    practice.home.ok(&["daemon", "start"]);
    let old = std::fs::read(&secret).unwrap();
    private::write_file(&secret, b"another secret than before").unwrap();
    let bad = practice.bad_after("");
    let fix = bad
        .iter()
        .find(|finding| finding["check"] == "daemon")
        .unwrap();
    assert_eq!(fix["fix"], "ipc admin rotate-secret");
    assert_eq!(fix["level"], "problem");
    // The rotation proves the old one, which only its owner can bring back.
    private::write_file(&secret, &old).unwrap();
    assert_eq!(practice.bad_after(""), Vec::<serde_json::Value>::new());
}

#[test]
fn a_socket_that_is_none_or_does_not_fit_is_cured() {
    let practice = Practice::used();
    practice.cured(
        "echo x > ~/.claude-ipc-data/ipc.sock; chmod 600 ~/.claude-ipc-data/ipc.sock",
        "problem",
        "is no socket",
    );
    let long = "x".repeat(120);
    let practice = Practice::new();
    practice.cured(
        &format!("export IPC_DATA_DIR=\"$HOME/{long}\""),
        "problem",
        "107 fit",
    );
    let practice = Practice::used();
    practice.home.ok(&["daemon", "start"]);
    practice.cured(
        "chmod 666 ~/.claude-ipc-data/ipc.sock",
        "problem",
        "ipc.sock has mode 0666",
    );
}

#[test]
fn a_daemon_that_does_not_run_or_is_stopped_is_cured() {
    let practice = Practice::used();
    practice.cured("", "note", "none runs");
    let pid = Pid::from_raw(i32::try_from(practice.home.daemon_pid()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    practice.cured("", "problem", "did not answer");
}

#[test]
fn a_shell_in_a_sandbox_is_told_where_the_tools_are() {
    let practice = Practice::used();
    let bad = practice.bad_after("export CODEX_SANDBOX_NETWORK_DISABLED=1");
    assert_eq!(bad.len(), 1, "{bad:#?}");
    assert_eq!(
        (bad[0]["check"].as_str(), bad[0]["level"].as_str()),
        (Some("sandbox"), Some("note"))
    );
    assert!(bad[0]["what"].as_str().unwrap().contains("MCP tools"));
}

#[test]
fn another_program_of_the_name_on_path_is_cured() {
    let practice = Practice::new();
    let other = "mkdir -p ~/other; echo '#!/bin/sh' > ~/other/ipc; chmod 755 ~/other/ipc; PATH=~/other:$PATH";
    let own = crate::harness::program().display().to_string();
    // Typed by its path, as one would whom another program is in the way of.
    let asked = format!("{other}; ipc() {{ {own} \"$@\"; }}");
    practice.cured(&asked, "problem", "`ipc` on PATH is");
    practice.cured(
        &format!("ipc() {{ {own} \"$@\"; }}; PATH=/usr/bin:/bin"),
        "note",
        "is not on PATH",
    );
}

#[test]
fn a_clock_behind_the_store_is_noted() {
    let practice = Practice::used();
    let bad = practice.bad_after("touch -d '3 days' ~/.claude-ipc-data/messages.db");
    assert!(
        bad.iter()
            .any(|finding| finding["check"] == "clock" && finding["level"] == "note"),
        "{bad:#?}"
    );
}

#[test]
fn a_service_that_runs_another_program_or_does_not_listen_is_cured() {
    let practice = Practice::used();
    let systemctl = practice.home.path().join("bin/systemctl");
    let state = practice.home.path().join("state");
    let script = format!(
        "#!/bin/sh\ncase \"$2\" in is-active) cat {0}; exit 0;; restart) echo active > {0};; esac\n",
        state.display()
    );
    std::fs::write(&systemctl, script).unwrap();
    std::fs::write(&state, "active").unwrap();
    practice.shell("chmod 755 ~/bin/systemctl; ipc service install");
    assert!(
        practice
            .bad_after("")
            .iter()
            .all(|finding| finding["check"] != "service")
    );
    practice.cured("echo failed > ~/state", "problem", "ipc.socket is failed");
    let unit = practice
        .home
        .path()
        .join(".config/systemd/user/ipc.service");
    let text = std::fs::read_to_string(&unit).unwrap();
    let own = crate::harness::program().display().to_string();
    std::fs::write(&unit, text.replace(&own, "/gone/ipc")).unwrap();
    practice.cured("", "problem", "does not run this program");
}
