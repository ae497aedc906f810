//! What stands in for programs that a page calls and a test has not: each takes the commands of
//! this table, which the real ones take, and refuses all others.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Program, arguments as a pattern of the shell, and what it does.
///
/// Claude Code 2.1, Gemini CLI 0.61, Codex 0.169, systemd 257.
pub(super) const TAKEN: [(&str, &str, &str); 22] = [
    ("claude", "", ""),
    ("claude", "mcp add -s user ipc -- ipc mcp", ""),
    ("claude", "mcp list", "echo 'ipc: ipc mcp - ✔ Connected'"),
    ("claude", "mcp remove ipc -s user", ""),
    (
        "claude",
        "plugin marketplace add */plugins",
        "test -d \"$4\"",
    ),
    ("claude", "plugin install ipc@claude-ipc", ""),
    ("claude", "plugin uninstall ipc", ""),
    ("gemini", "", ""),
    ("gemini", "mcp add -s user ipc ipc mcp", ""),
    ("gemini", "mcp list", ""),
    ("gemini", "mcp remove -s user ipc", ""),
    (
        "gemini",
        "extensions link */plugins/gemini-cli",
        "test -d \"$3\"",
    ),
    ("gemini", "extensions uninstall ipc", ""),
    ("codex", "mcp add ipc -- ipc mcp", ""),
    ("codex", "mcp remove ipc", ""),
    ("git", "diff", "echo '+a line'"),
    ("systemctl", "--user show-environment", ""),
    ("systemctl", "--user daemon-reload", ""),
    ("systemctl", "--user enable --now ipc.socket", ""),
    (
        "systemctl",
        "--user disable --now ipc.socket ipc.service",
        "",
    ),
    ("systemctl", "--user is-active ipc.socket", "echo active"),
    ("systemctl", "--user is-active ipc.service", "echo active"),
];

/// Puts the stand-ins into `directory`.
pub(super) fn put(directory: &Path) {
    std::fs::create_dir(directory).unwrap();
    let programs: BTreeSet<_> = TAKEN.iter().map(|(program, ..)| *program).collect();
    for program in programs {
        let mut script = "#!/bin/sh\ncase \"$*\" in\n".to_owned();
        for (_, arguments, does) in TAKEN.iter().filter(|(of, ..)| *of == program) {
            let pattern: Vec<_> = arguments
                .split('*')
                .map(|part| format!("'{part}'"))
                .collect();
            script.extend([&pattern.join("*"), ") ", does, " ;;\n"]);
        }
        script += "*) echo \"$0 takes no such arguments: $*\" >&2; exit 64 ;;\nesac\n";
        let path = directory.join(program);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
