//! What the hosts have of this program.

use serde_json::Value;

use super::Practice;
use crate::setup::{HOSTS, json, write};

fn of<'f>(findings: &'f [Value], check: &str) -> Vec<&'f Value> {
    findings
        .iter()
        .filter(|finding| finding["check"] == check)
        .collect()
}

#[test]
fn a_host_that_is_not_here_is_not_spoken_of_and_one_that_is_can_be_set_up() {
    for (host, title) in HOSTS.iter().zip(["Claude Code", "Gemini CLI", "Codex"]) {
        let practice = Practice::new();
        assert_eq!(
            of(&practice.findings_after(""), host.word),
            Vec::<&Value>::new()
        );
        std::fs::create_dir(practice.home.path().join(format!(".{}", host.word))).unwrap();
        practice.cured("", "note", &format!("{title} is here and does not use ipc"));
        let findings = practice.findings_after("");
        let told = of(&findings, host.word);
        assert!(
            told.iter().any(|finding| finding["level"] == "good"),
            "{told:#?}"
        );
        let has_trust_note = told
            .iter()
            .any(|note| note["what"].as_str().unwrap().contains("/hooks"));
        assert_eq!(has_trust_note, host.word == "codex");
    }
}

#[test]
fn hooks_that_are_gone_are_cured() {
    for (host, file) in HOSTS.iter().map(|host| (host, host.files[1])) {
        let practice = Practice::new();
        practice.shell(&format!("ipc setup {}", host.word));
        let mut value = json(&practice.home, file);
        value.as_object_mut().unwrap().remove("hooks");
        write(&practice.home, file, value.to_string());
        practice.cured("", "problem", "hooks: it is not told of mail by itself");
    }
}

#[test]
fn a_program_that_has_moved_is_cured() {
    for host in &HOSTS {
        let practice = Practice::new();
        let moved = "mkdir -p ~/old; cp -l \"$(readlink ~/bin/ipc)\" ~/old/ipc 2> /dev/null || cp \"$(readlink ~/bin/ipc)\" ~/old/ipc";
        let said = practice.shell(&format!(
            "{moved}; PATH=~/old:$PATH ipc setup {}; rm -r ~/old",
            host.word
        ));
        assert_eq!(said.status, 0, "{said:?}");
        practice.cured("", "problem", "which is not there");
    }
}

#[test]
fn the_package_beside_a_setup_is_cured() {
    let practice = Practice::new();
    practice.shell("ipc setup gemini; mkdir -p ~/.gemini/extensions/ipc");
    practice.cured("", "problem", "tells of mail twice");
    let findings = practice.findings_after("");
    assert_eq!(of(&findings, "gemini")[0]["level"], "good");
}

#[test]
fn a_secret_in_a_hosts_file_is_told_and_not_shown() {
    let practice = Practice::new();
    practice.shell("ipc setup claude");
    let mut value = json(&practice.home, ".claude.json");
    value["mcpServers"]["ipc"]["env"]["IPC_SHARED_SECRET"] = "canary-secret".into();
    write(&practice.home, ".claude.json", value.to_string());
    let said = practice.shell("ipc doctor");
    assert!(
        said.out
            .contains("the shared secret stands in Claude Code's configuration"),
        "{said:?}"
    );
    assert!(!said.out.contains("canary"), "{said:?}");
}

#[test]
fn a_file_that_its_host_cannot_read_is_told() {
    let practice = Practice::new();
    write(&practice.home, ".codex/config.toml", "nonsense");
    let findings = practice.findings_after("");
    let told = of(&findings, "codex");
    assert_eq!(told[0]["level"], "problem");
    assert!(
        told[0]["what"].as_str().unwrap().contains("not valid TOML"),
        "{told:#?}"
    );
}
