//! What is written, and how: the program's path, modes, directories, repeats, and hosts that write
//! at the same time.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use serde_json::Value;

use super::{HOSTS, everything, json, text, with, write};
use crate::harness::{Home, program};

const SECRET: &str = "canary-of-the-secret-77aa";

#[test]
fn nothing_is_written_by_a_dry_run_and_all_of_it_is_shown() {
    for host in &HOSTS {
        let home = Home::new();
        write(
            &home,
            host.files[1],
            "{\n  \"their-secret\": \"hunter2\"\n}\n",
        );
        write(&home, ".codex/config.toml", "");
        let before = everything(&home);
        let shown = home.ok(&["setup", host.word, "--dry-run"]);
        assert_eq!(everything(&home), before, "{}", host.word);
        assert!(
            shown.contains("+++ ") && shown.contains("nothing was written"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
        host.setup(&home);
        for line in text(&home, host.files[1])
            .lines()
            .filter(|line| line.contains(" hook "))
        {
            assert!(shown.contains(line.trim()), "{line} is not in {shown}");
        }
        let before = everything(&home);
        let shown = home.ok(&["setup", host.word, "--uninstall", "--dry-run"]);
        assert!(shown.contains("\n-"), "{shown}");
        assert_eq!(everything(&home), before);
    }
}

#[test]
fn files_and_directories_that_were_made_go_again() {
    for host in &HOSTS {
        let home = Home::new();
        host.setup(&home);
        for file in host.files {
            let facts = std::fs::metadata(home.path().join(file)).unwrap();
            assert_eq!(facts.mode() & 0o777, 0o600, "{file}");
        }
        host.uninstall(&home);
        assert_eq!(everything(&home), [], "{}", host.word);
    }
}

#[test]
fn the_records_of_several_hosts_go_one_by_one() {
    let home = Home::new();
    HOSTS.iter().map(|host| host.setup(&home)).for_each(drop);
    let record = home.data_dir().root().join("setup/claude.json");
    assert_eq!(std::fs::metadata(&record).unwrap().mode() & 0o777, 0o600);
    HOSTS
        .iter()
        .map(|host| host.uninstall(&home))
        .for_each(drop);
    assert_eq!(everything(&home), []);
    let said = HOSTS[0].uninstall(&home);
    assert!(said.contains("nothing to take back"), "{said}");
}

#[test]
fn a_directory_that_somebody_else_uses_by_now_stays() {
    let home = Home::new();
    HOSTS[2].setup(&home);
    write(&home, ".codex/auth.json", "theirs");
    home.ok(&["daemon", "start"]);
    HOSTS[2].uninstall(&home);
    assert_eq!(text(&home, ".codex/auth.json"), "theirs");
    assert!(home.data_dir().secret().exists());
}

#[test]
fn modes_stay() {
    let home = Home::new();
    let path = write(&home, ".gemini/settings.json", "{}");
    for mode in [0o644, 0o600, 0o666] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        HOSTS[1].setup(&home);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, mode);
        HOSTS[1].uninstall(&home);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, mode);
    }
}

/// The commands that stand in the hooks of a file.
fn lines(value: &Value) -> Vec<String> {
    let groups = value["hooks"].as_object().unwrap().values();
    let groups = groups.flat_map(|groups| groups.as_array().unwrap());
    groups
        .map(|group| group["hooks"][0]["command"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_program_is_called_by_an_absolute_path_and_the_stable_one_where_path_has_it() {
    let home = Home::new();
    HOSTS[0].setup(&home);
    let command = |home: &Home| json(home, ".claude.json")["mcpServers"]["ipc"]["command"].clone();
    assert_eq!(command(&home), program().to_str().unwrap());
    let bin = home.path().join("a bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(program(), bin.join("ipc")).unwrap();
    let path = format!("relative:{}:/usr/bin", bin.display());
    let said = with(&home, &["setup", "claude"], &[("PATH", &path)]);
    assert!(
        said.out.contains("removed mcpServers.ipc") && said.out.contains("added mcpServers.ipc"),
        "{said:?}"
    );
    assert_eq!(command(&home), bin.join("ipc").to_str().unwrap());
    let settings = json(&home, ".claude/settings.json");
    assert_eq!(lines(&settings).len(), 5);
    for line in lines(&settings) {
        assert!(
            line.starts_with(&format!("'{}' hook claude ", bin.join("ipc").display())),
            "{line}"
        );
    }
    assert!(
        with(&home, &["setup", "claude"], &[("PATH", &path)])
            .out
            .contains("already set up")
    );
    let left = with(&home, &["setup", "claude", "--uninstall"], &[]);
    assert_eq!(left.status, 0, "{left:?}");
    assert!(!home.path().join(".claude.json").exists());
}

#[test]
fn the_agent_that_stops_is_told_once() {
    let home = Home::new();
    HOSTS[0].setup(&home);
    let settings = json(&home, ".claude/settings.json");
    let stop = settings["hooks"]["Stop"].as_array().unwrap();
    assert_eq!(stop.len(), 1);
    let hook = &stop[0]["hooks"][0];
    assert!(
        hook["command"]
            .as_str()
            .unwrap()
            .ends_with(" hook claude Stop --rewake")
    );
    assert_eq!(hook["asyncRewake"], true);
}

#[test]
fn another_place_for_the_data_is_carried_and_the_secret_never_is() {
    for host in &HOSTS {
        let home = Home::new();
        let data = home.path().join("data").display().to_string();
        let socket = home.path().join("s o").display().to_string();
        let variables = [
            ("IPC_DATA_DIR", data.as_str()),
            ("IPC_SOCKET", &socket),
            ("IPC_SHARED_SECRET", SECRET),
        ];
        let said = with(&home, &["setup", host.word], &variables);
        assert_eq!(said.status, 0, "{said:?}");
        for (path, contents) in everything(&home) {
            let contents = String::from_utf8(contents.unwrap_or_default()).unwrap();
            assert!(!contents.contains(SECRET), "{}", path.display());
        }
        let servers = text(&home, host.files[0]);
        assert!(
            servers.contains(&data) && servers.contains(&socket),
            "{servers}"
        );
        let hooks = json(&home, host.files[1]);
        for line in lines(&hooks) {
            // What a shell makes of the line, with the program left out.
            let (variables, _) = line.split_once(program().to_str().unwrap()).unwrap();
            let script = format!("{variables} env");
            let output = Command::new("/bin/sh")
                .arg("-c")
                .arg(script)
                .output()
                .unwrap();
            let seen = String::from_utf8(output.stdout).unwrap();
            assert!(seen.contains(&format!("IPC_DATA_DIR={data}\n")), "{line}");
            assert!(seen.contains(&format!("IPC_SOCKET={socket}\n")), "{line}");
        }
        assert!(
            with(&home, &["setup", host.word], &variables)
                .out
                .contains("already")
        );
        with(&home, &["setup", host.word], &[]).refused(1, &["is not from this setup"]);
    }
}

#[test]
fn the_directories_that_the_hosts_honour_are_honoured() {
    for (at, variable, files) in [
        (0, "CLAUDE_CONFIG_DIR", [".claude.json", "settings.json"]),
        (
            1,
            "GEMINI_CLI_HOME",
            [".gemini/settings.json", ".gemini/settings.json"],
        ),
        (2, "CODEX_HOME", ["config.toml", "hooks.json"]),
    ] {
        let home = Home::new();
        let place = home.path().join("place");
        std::fs::create_dir(&place).unwrap();
        let variables = [(variable, place.to_str().unwrap())];
        let word = HOSTS[at].word;
        assert_eq!(with(&home, &["setup", word], &variables).status, 0);
        for file in files {
            assert!(place.join(file).is_file(), "{variable} {file}");
        }
        with(&home, &["setup", word], &[]).refused(1, &["is set up already, in", "--uninstall"]);
        HOSTS[at].uninstall(&home);
        assert_eq!(everything(&home), [(place, None)]);
    }
}

#[test]
fn a_repeat_mends_what_somebody_took_out() {
    let home = Home::new();
    HOSTS[0].setup(&home);
    let whole = json(&home, ".claude/settings.json");
    let mut less = whole.clone();
    less["hooks"].as_object_mut().unwrap().remove("SessionEnd");
    write(&home, ".claude/settings.json", less.to_string());
    HOSTS[0].setup(&home);
    assert_eq!(json(&home, ".claude/settings.json"), whole);
    HOSTS[0].uninstall(&home);
    assert_eq!(everything(&home), []);
}

#[test]
fn a_hook_whose_time_somebody_changed_is_not_doubled_and_stays() {
    let home = Home::new();
    HOSTS[0].setup(&home);
    let file = ".claude/settings.json";
    let changed = text(&home, file).replace("86400", "3600");
    write(&home, file, &changed);
    assert!(HOSTS[0].setup(&home).contains("already set up"));
    let said = HOSTS[0].uninstall(&home);
    assert!(said.contains("left hooks.Stop"), "{said}");
    let left = json(&home, file);
    assert_eq!(lines(&left).len(), 1);
}

#[test]
fn a_host_that_writes_all_the_time_loses_nothing() {
    let home = Home::new();
    let path = write(&home, ".claude.json", "{\"n\": 0}");
    // As a host does: a new file beside it takes its place, over and over.
    let script = "import json, os, sys
path = sys.argv[1]
while True:
    with open(path) as file: value = json.load(file)
    value['n'] += 1
    with open(path + '.new', 'w') as file: json.dump(value, file)
    os.replace(path + '.new', path)
    print(value['n'], flush=True)";
    let mut command = crate::harness::python(script);
    command.arg(&path);
    let mut host = crate::harness::Running::start(&mut command);
    host.line();
    for _ in 0..20 {
        let said = home.run(&["setup", "claude"]);
        let is_busy = said.err.contains("keeps writing to its files");
        assert!(said.status == 0 || is_busy, "{said:?}");
        let said = home.run(&["setup", "claude", "--uninstall"]);
        let is_busy = said.err.contains("keeps writing to its files");
        assert!(said.status == 0 || is_busy, "{said:?}");
    }
    host.kill();
    drop(std::fs::remove_file(path.with_extension("json.new")));
    assert!(json(&home, ".claude.json")["n"].as_u64().unwrap() > 0);
    let left = std::fs::read_dir(home.path()).unwrap();
    let left: Vec<_> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        !left.iter().any(|name| name.starts_with(".ipc-setup-")),
        "{left:?}"
    );
}

#[test]
fn json_says_what_was_done() {
    let home = Home::new();
    let said = home.json(&["setup", "codex"]);
    assert_eq!(said["state"], "written");
    assert_eq!(said["files"][0]["added"][0], "mcp_servers.ipc");
    assert_eq!(home.json(&["setup", "codex"])["state"], "already");
    let said = home.json(&["setup", "codex", "--uninstall"]);
    assert_eq!(
        (
            said["state"].as_str(),
            said["files"][0]["removed"][0].as_str()
        ),
        (Some("removed"), Some("mcp_servers.ipc"))
    );
    assert_eq!(
        home.json(&["setup", "codex", "--uninstall"])["state"],
        "nothing"
    );
}
