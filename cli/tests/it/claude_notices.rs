//! `ipc notices`: a line in CLAUDE.md, put in and taken out to the byte, or nothing at all.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Home, Said, words};

/// A home with a project in which alice works.
struct Project {
    home: Home,
}

impl Project {
    fn new() -> Self {
        let home = Home::new();
        home.register("alice");
        let project = Self { home };
        fs::create_dir(project.folder()).unwrap();
        project
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("project")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("CLAUDE.md")
    }

    fn write(&self, bytes: impl AsRef<[u8]>) {
        fs::write(self.file(), bytes).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn run_as(&self, name: &str, folder: &str, words: &[&str]) -> Said {
        let line = [&["--as", name], words].concat();
        let mut command = self.home.command(&line);
        command.current_dir(self.home.path().join(folder));
        Said::of(&command.output().unwrap())
    }

    fn notices(&self, word: &str) -> Said {
        self.run_as("alice", "project", &["notices", word])
    }

    fn ok(&self, word: &str) -> String {
        let said = self.notices(word);
        assert_eq!(said.status, 0, "{said:?}");
        said.out + &said.err
    }

    /// Whether the daemon keeps a file for alice.
    fn is_on(&self) -> bool {
        self.home.json(&["--as", "alice", "notices", "status"])["on"] == json!(true)
    }

    /// Everything there is that a refusal must leave alone.
    fn all(&self) -> (Vec<(PathBuf, Vec<u8>)>, bool) {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(&path).unwrap_or_default()))
            .collect();
        files.sort();
        (files, self.is_on())
    }

    fn refused(&self, word: &str, words: &[&str]) {
        let before = self.all();
        self.notices(word).refused(1, words);
        assert_eq!(self.all(), before);
    }
}

#[test]
fn a_line_is_put_in_and_taken_out_to_the_byte() {
    let project = Project::new();
    for text in [
        "# Mine\n",
        "# Mine",
        "# Mine\r\nmore\r\n",
        "a\r\nb",
        "\n\n",
        "@other.md\n",
    ] {
        project.write(text);
        fs::set_permissions(project.file(), PermissionsExt::from_mode(0o644)).unwrap();
        let said = project.ok("on");
        assert!(
            said.contains("notices for alice are on") && said.contains("asks once"),
            "{said}"
        );
        assert!(said.contains("`ipc setup claude`"), "{said}");
        let with = project.text();
        let lines: Vec<_> = with.strip_prefix(text).unwrap().trim().lines().collect();
        let id = project.home.json(&["--as", "alice", "whoami"])["agent_id"].clone();
        let file = project
            .home
            .data_dir()
            .notices()
            .join(format!("{}.md", id.as_str().unwrap()));
        assert_eq!(lines[1], format!("@{}", file.display()));
        assert!(
            lines[0].contains("ipc notices off") && lines.len() == 3,
            "{lines:?}"
        );
        assert_eq!(with.ends_with('\n'), text.ends_with('\n'), "{with:?}");
        assert_eq!(
            with.matches("\r\n").count() > 0,
            text.contains("\r\n"),
            "{with:?}"
        );
        project.ok("on");
        assert_eq!(project.text(), with, "once is enough");
        while fs::read_to_string(&file).ok().as_deref() != Some("") {}
        project.ok("off");
        assert_eq!(project.text(), text);
        assert_eq!(fs::metadata(project.file()).unwrap().mode() & 0o777, 0o644);
        while file.exists() {}
        project.ok("off");
    }
}

#[test]
fn a_file_that_was_made_goes_again_unless_somebody_wrote_into_it() {
    let project = Project::new();
    project.ok("on");
    assert!(project.text().contains('@'));
    project.ok("off");
    assert!(!project.file().exists());
    project.ok("on");
    let more = project.text() + "mine\n";
    project.write(more);
    project.ok("off");
    assert_eq!(project.text(), "mine\n");
    project.write("");
    project.ok("on");
    project.ok("off");
    assert_eq!(project.text(), "", "an empty file that was there stays");
}

#[test]
fn two_agents_of_one_project_have_a_line_each() {
    let project = Project::new();
    project.home.register("bob");
    project.write("# Mine");
    project.ok("on");
    assert_eq!(
        project.run_as("bob", "project", &["notices", "on"]).status,
        0
    );
    assert_eq!(project.text().matches("\n@").count(), 2);
    project.ok("off");
    assert_eq!(project.text().matches("\n@").count(), 1);
    assert_eq!(
        project.run_as("bob", "project", &["notices", "off"]).status,
        0
    );
    assert_eq!(project.text(), "# Mine");
}

#[test]
fn it_is_taken_out_from_anywhere_and_put_into_one_project_only() {
    let project = Project::new();
    project.write("# Mine\n");
    project.ok("on");
    let elsewhere = project.run_as("alice", ".", &["notices", "on"]);
    elsewhere.refused(
        1,
        &[
            "notices are on already, in",
            "project/CLAUDE.md",
            "`ipc notices off`",
        ],
    );
    let status = project.run_as("alice", ".", &["notices", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["imported_in"], json!(project.file()));
    assert_eq!(project.run_as("alice", ".", &["notices", "off"]).status, 0);
    assert_eq!(project.text(), "# Mine\n");
    project.ok("on");
    // Whoever took the line out by hand is not asked for it.
    project.write("# Mine again\n");
    assert!(project.ok("status").contains("no CLAUDE.md reads them"));
    project.ok("off");
    assert_eq!(project.text(), "# Mine again\n");
    assert!(!project.is_on());
}

#[test]
fn a_link_is_not_followed_in_either_direction() {
    let project = Project::new();
    let other = project.home.path().join("other.md");
    fs::write(&other, "theirs\n").unwrap();
    symlink(&other, project.file()).unwrap();
    project.refused("on", &["is a link", "nothing was written"]);
    assert_eq!(fs::read_to_string(&other).unwrap(), "theirs\n");
    fs::remove_file(project.file()).unwrap();
    symlink("nowhere", project.file()).unwrap();
    project.refused("on", &["is a link"]);
    fs::remove_file(project.file()).unwrap();
    project.ok("on");
    fs::rename(project.file(), &other).unwrap();
    symlink(&other, project.file()).unwrap();
    project.refused("off", &["is a link"]);
    assert!(project.is_on());
}

#[test]
fn a_file_that_cannot_be_changed_safely_is_left_as_it_is() {
    let project = Project::new();
    project.write(b"\xff\xfe");
    project.refused("on", &["not text in UTF-8"]);
    project.write("x");
    fs::set_permissions(project.file(), PermissionsExt::from_mode(0o444)).unwrap();
    project.refused("on", &["read-only", "chmod u+w"]);
    fs::remove_file(project.file()).unwrap();
    let huge = fs::File::create(project.file()).unwrap();
    huge.set_len(17 << 20).unwrap();
    let said = project.notices("on");
    said.refused(1, &["larger than 16 MiB"]);
    assert!(!project.is_on());
    fs::remove_file(project.file()).unwrap();
    fs::create_dir(project.file()).unwrap();
    project.refused("on", &["not a regular file"]);
}

#[test]
fn broken_marks_are_said_and_left_alone() {
    let project = Project::new();
    project.write("# Mine\n");
    project.ok("on");
    let whole = project.text();
    let lines: Vec<_> = whole.lines().collect();
    for broken in [
        lines[..3].join("\n"),
        lines[2..].join("\n"),
        whole.replace('@', "mine\n@"),
        whole.repeat(2),
    ] {
        project.write(&broken);
        for word in ["on", "off"] {
            project.refused(word, &["ipc notices", "by hand", "nothing was written"]);
        }
        assert!(project.is_on());
    }
    project.write(whole);
    project.ok("off");
    assert_eq!(project.text(), "# Mine\n");
}

#[test]
fn without_a_daemon_nothing_is_written() {
    let project = Project::new();
    project.write("# Mine\n");
    project.home.ok(&["daemon", "stop"]);
    project.home.configure("[limits]\nno_such_key = 1\n");
    project.notices("on").refused(3, &[]);
    assert_eq!(project.text(), "# Mine\n");
    assert_eq!(fs::read_dir(project.folder()).unwrap().count(), 1);
}

#[test]
fn whoever_gives_its_name_up_leaves_no_line_behind() {
    let project = Project::new();
    project.write("# Mine\n");
    project.ok("on");
    assert_eq!(project.run_as("alice", ".", &["unregister"]).status, 0);
    assert_eq!(project.text(), "# Mine\n");
}

#[test]
fn a_model_switches_them_for_its_project_and_is_told_what_to_tell() {
    let home = Home::new();
    let mut host = home.host("project").start();
    let said = words(&host.call("ipc_status", json!({"notices": "on"})));
    assert!(
        said.contains("notices are on") && said.contains("asks once"),
        "{said}"
    );
    let file = home.path().join("project/CLAUDE.md");
    assert!(fs::read_to_string(&file).unwrap().contains("/notices/a."));
    assert_eq!(host.tool("ipc_status", json!({}))["notices"], true);
    host.tool("ipc_status", json!({"notices": "off"}));
    assert!(!file.exists());
    assert_eq!(host.tool("ipc_status", json!({}))["notices"], false);
    symlink("elsewhere", &file).unwrap();
    let refused = host.refused("ipc_status", json!({"notices": "on"}));
    assert!(
        refused["message"].as_str().unwrap().contains("is a link"),
        "{refused}"
    );
}
