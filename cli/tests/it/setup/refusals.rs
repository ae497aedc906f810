//! Files that cannot be added to safely: refused, said why, and left as they are.

use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::{HOSTS, Host, bytes, everything, text, with, write};
use crate::harness::Home;

fn left_as_it_is(host: &Host, file: &str, contents: impl AsRef<[u8]>, words: &[&str]) {
    let home = Home::new();
    write(&home, file, contents);
    let before = everything(&home);
    host.refused(&home, &[words, &["nothing was written"]].concat());
    assert_eq!(everything(&home), before, "{} {file}", host.word);
}

#[test]
fn what_is_not_the_hosts_format_is_refused() {
    for host in &HOSTS {
        for file in host.files {
            for contents in [
                "{",
                "{\"a\": 1,}",
                "{\"a\" 1}",
                "nonsense",
                "{\"a\": 'x'}",
                "{}{}",
            ] {
                left_as_it_is(host, file, contents, &["is not valid"]);
            }
            left_as_it_is(host, file, b"\xff\xfe\x00", &["not text in UTF-8"]);
        }
    }
    for file in [".claude.json", ".claude/settings.json"] {
        left_as_it_is(&HOSTS[0], file, "{ // a comment\n}", &["not valid JSON"]);
    }
    let deep = "[".repeat(100_000);
    left_as_it_is(&HOSTS[0], ".claude.json", deep, &["not valid JSON"]);
}

#[test]
fn sections_of_another_type_are_refused() {
    for (contents, words) in [
        ("[]", ["the document", "an object"]),
        ("{\"mcpServers\": []}", ["`mcpServers`", "an object"]),
        ("{\"mcpServers\": null}", ["`mcpServers`", "an object"]),
        ("{\"hooks\": []}", ["`hooks`", "an object"]),
        (
            "{\"hooks\": {\"AfterTool\": {}}}",
            ["`hooks.AfterTool`", "an array"],
        ),
    ] {
        left_as_it_is(&HOSTS[1], ".gemini/settings.json", contents, &words);
    }
    for contents in ["mcp_servers = 1\n", "[[mcp_servers]]\n"] {
        left_as_it_is(
            &HOSTS[2],
            ".codex/config.toml",
            contents,
            &["`mcp_servers`"],
        );
    }
    let closed = "mcp_servers = { x = { command = \"y\" } }\n";
    left_as_it_is(
        &HOSTS[2],
        ".codex/config.toml",
        closed,
        &["cannot be added to"],
    );
}

#[test]
fn sections_that_are_there_twice_are_refused() {
    for contents in [
        "{\"mcpServers\": {}, \"mcpServers\": {}}",
        "{\"hooks\": {}, \"hooks\": {}}",
        "{\"hooks\": {\"AfterTool\": [], \"AfterTool\": []}}",
        "{\"mcpServers\": {\"ipc\": 1, \"ipc\": 2}}",
    ] {
        left_as_it_is(
            &HOSTS[1],
            ".gemini/settings.json",
            contents,
            &["is in it twice"],
        );
    }
    let twice = "[mcp_servers]\n[mcp_servers]\n";
    left_as_it_is(
        &HOSTS[2],
        ".codex/config.toml",
        twice,
        &["not valid TOML", "line 2"],
    );
}

#[test]
fn an_entry_that_somebody_else_wrote_is_not_overwritten() {
    let servers = "{\"mcpServers\": {\"ipc\": {\"command\": \"theirs\"}}}";
    left_as_it_is(
        &HOSTS[0],
        ".claude.json",
        servers,
        &["mcpServers.ipc", "claude mcp remove ipc -s user"],
    );
    left_as_it_is(
        &HOSTS[1],
        ".gemini/settings.json",
        servers,
        &["gemini mcp remove -s user ipc"],
    );
    let table = "[mcp_servers.ipc]\ncommand = \"theirs\"\n";
    left_as_it_is(
        &HOSTS[2],
        ".codex/config.toml",
        table,
        &["codex mcp remove ipc"],
    );
}

#[test]
fn the_second_file_is_looked_at_before_the_first_is_written() {
    let home = Home::new();
    write(&home, ".claude.json", "{}");
    write(&home, ".claude/settings.json", "[]");
    let before = everything(&home);
    HOSTS[0].refused(&home, &["settings.json"]);
    assert_eq!(everything(&home), before);
}

#[test]
fn a_link_is_followed_to_a_file_of_the_users_and_stays_a_link() {
    let home = Home::new();
    let target = write(&home, "dotfiles/settings.json", "{\"a\": 1}\n");
    std::fs::create_dir(home.path().join(".gemini")).unwrap();
    let link = home.path().join(".gemini/settings.json");
    symlink("../dotfiles/settings.json", &link).unwrap();
    HOSTS[1].setup(&home);
    assert!(link.is_symlink() && text(&home, "dotfiles/settings.json").contains("ipc"));
    HOSTS[1].uninstall(&home);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&target).unwrap(), b"{\"a\": 1}\n");
    std::fs::remove_file(&target).unwrap();
    HOSTS[1].refused(&home, &["a link that leads nowhere"]);
    std::fs::create_dir(&target).unwrap();
    HOSTS[1].refused(&home, &["not a regular file"]);
}

#[test]
fn what_is_no_file_of_the_users_is_refused() {
    let home = Home::new();
    let path = home.path().join(".claude.json");
    std::fs::create_dir(&path).unwrap();
    HOSTS[0].refused(&home, &["not a regular file"]);
    std::fs::remove_dir(&path).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
    HOSTS[0].refused(&home, &["not a regular file"]);
    std::fs::remove_file(&path).unwrap();
    // Only root can give a file away; for anybody else there is one of root's.
    if rustix::process::geteuid().is_root() {
        write(&home, ".claude.json", "{}");
        chown(&path, Some(12_345), None).unwrap();
    } else {
        symlink("/etc/passwd", &path).unwrap();
    }
    HOSTS[0].refused(&home, &["belongs to user"]);
}

#[test]
fn a_file_that_may_not_be_written_is_refused() {
    let home = Home::new();
    let path = write(&home, ".claude.json", "{}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    HOSTS[0].refused(&home, &["read-only", "chmod u+w"]);
    assert_eq!(bytes(&home, ".claude.json"), b"{}");
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let home = Home::new();
    let path = write(&home, ".claude.json", "{}");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len((16 << 20) + 1).unwrap();
    HOSTS[0].refused(&home, &["larger than 16 MiB"]);
}

#[test]
fn the_package_of_a_host_and_a_setup_are_not_both_installed() {
    let home = Home::new();
    let enabled = "{\"enabledPlugins\": {\"ipc@claude-ipc\": true}}";
    write(&home, ".claude/settings.json", enabled);
    HOSTS[0].refused(
        &home,
        &[
            "the package of ipc for Claude Code",
            "claude plugin uninstall ipc",
        ],
    );
    write(
        &home,
        ".claude/settings.json",
        enabled.replace("true", "false"),
    );
    HOSTS[0].setup(&home);
    std::fs::create_dir_all(home.path().join(".gemini/extensions/ipc")).unwrap();
    HOSTS[1].refused(&home, &["gemini extensions uninstall ipc"]);
}

#[test]
fn an_old_file_that_claude_may_use_instead_is_pointed_out() {
    let home = Home::new();
    write(&home, ".claude/.config.json", "{}");
    HOSTS[0].refused(&home, &[".config.json", "move it away"]);
    assert!(!home.path().join(".claude.json").exists());
}

#[test]
fn paths_that_a_host_would_read_otherwise_are_refused() {
    let home = Home::new();
    let place = home.path().join("a$HOME").display().to_string();
    let said = with(&home, &["setup", "claude"], &[("IPC_DATA_DIR", &place)]);
    said.refused(2, &["cannot hold", "plain paths"]);
    assert!(!home.path().join(".claude.json").exists());
}

#[test]
fn a_second_file_that_cannot_be_written_beside_keeps_the_first_as_it_is() {
    let home = Home::new();
    write(&home, ".codex/config.toml", "");
    let link = home.path().join(".codex/hooks.json");
    symlink(home.path().join("elsewhere/none"), link).unwrap();
    HOSTS[2].refused(&home, &["hooks.json", "a link that leads nowhere"]);
    assert_eq!(text(&home, ".codex/config.toml"), "");
    assert!(
        !home.data_dir().root().exists(),
        "and nothing is remembered"
    );
}
