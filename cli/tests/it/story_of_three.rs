//! Three agents in three processes, each by another way: one types commands, one is the model of an
//! MCP host, one is a program in Python. What one of them can do, the others meet.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Agent, Home, Host, Running, Said, letters, text};
use crate::tidy::texts::root;

const SCRIPT: &str = include_str!("story_of_three.py");

/// The agent in Python.
struct Script {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Script {
    fn start(home: &Home, name: &str) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT, name])
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("PYTHONPATH", root().join("python-shim"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder(home))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Has it do something, and goes on.
    fn begin(&mut self, expression: &str) {
        writeln!(self.input, "{expression}").unwrap();
    }

    /// What came of it, waited for.
    fn told(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn does(&mut self, expression: &str) -> Value {
        self.begin(expression);
        self.told()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // One that has ended is no longer there to be killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Who is in the story: `cleo` types, `mona` is a model, `pyra` is the program.
struct Cast<'a> {
    home: &'a Home,
    cleo: Agent<'a>,
    mona: Host,
    pyra: Script,
}

/// The project that all three work in.
fn folder(home: &Home) -> PathBuf {
    home.path().join("mona")
}

fn enter(home: &Home) -> Cast<'_> {
    let folder = folder(home);
    std::fs::create_dir(&folder).unwrap();
    let shared = std::fs::canonicalize(&folder).unwrap();
    home.configure(&format!("[share]\nroots = [{shared:?}]\n"));
    let words = ["register", "cleo", "--capability", "rust"];
    let registered = home.command(&words).current_dir(&folder).output().unwrap();
    assert_eq!(Said::of(&registered).status, 0, "{registered:?}");
    let mut mona = home.host("mona").start();
    assert_eq!(mona.name(), "mona");
    let mut pyra = Script::start(home, "pyra");
    assert_eq!(pyra.does("me.name"), "pyra");
    Cast {
        home,
        cleo: Agent::called(home, "cleo"),
        mona,
        pyra,
    }
}

/// One field of each row, in order.
fn each<'a>(rows: &'a Value, field: &str) -> Vec<&'a str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[field].as_str().unwrap()).collect()
}

/// The texts that a command which has begun prints at its end.
fn texts(running: Running) -> Vec<String> {
    let said = running.end();
    let fetched: Value = serde_json::from_str(&said.out).unwrap();
    let texts = each(&fetched["messages"], "text");
    texts.into_iter().map(str::to_owned).collect()
}

#[test]
fn three_agents_of_three_kinds_get_a_release_done() {
    let home = Home::new();
    let mut cast = enter(&home);
    they_find_each_other(&mut cast);
    let group = they_make_a_group(&mut cast);
    a_question_to_all_is_answered_bit_by_bit(&mut cast, &group);
    each_waits_for_whom_it_wants(&mut cast);
    a_task_is_proposed_and_accepted(&mut cast);
    all_of_it_is_remembered(&mut cast, &group);
    one_leaves(&mut cast, &group);
    one_chooses_whose_mail_it_takes(&mut cast);
    one_is_told_of_mail_by_its_project(&mut cast);
    a_file_is_shared(&mut cast);
}

fn they_find_each_other(cast: &mut Cast<'_>) {
    cast.cleo.ok(&["set-status", "typing"]);
    cast.mona
        .tool("ipc_status", json!({"set_summary": "the release notes"}));
    let said = cast
        .pyra
        .does("me.describe(status='testing', capabilities=['python'])");
    assert_eq!(said["capabilities"], json!(["python"]));
    let here = cast.mona.tool("ipc_list", json!({"scope": "directory"}));
    let mut names = each(&here["agents"], "name");
    names.sort_unstable();
    assert_eq!(names, ["cleo", "mona", "pyra"]);
    let able = cast.cleo.json(&["list", "--capability", "python"]);
    assert_eq!(each(&able["agents"], "status"), ["testing"]);
    let rows = cast.pyra.does("me.list(scope='directory')");
    let rows = rows.as_array().unwrap();
    let of = |name| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(of("cleo")["status"], "typing");
    assert_eq!(of("cleo")["capabilities"], json!(["rust"]));
    assert_eq!(of("mona")["summary"], "the release notes");
}

fn they_make_a_group(cast: &mut Cast<'_>) -> String {
    let create = json!({"action": "create", "title": "release 1.0", "members": ["cleo"]});
    let made = cast.mona.tool("ipc_conversation", create);
    let group = made["conversations"][0]["conversation_id"].as_str();
    let group = group.unwrap().to_owned();
    let added = cast.cleo.json(&["conversation", "add", &group, "pyra"]);
    assert_eq!(added["added"], json!(["pyra"]));
    let seen = cast.pyra.does(&format!("me.conversation('{group}')"));
    assert_eq!(seen["members"], json!(["cleo", "mona", "pyra"]));
    assert_eq!(seen["title"], "release 1.0");
    // Everybody was told; what is said from here on is in an empty mailbox.
    let notices = cast.pyra.does("me.check()");
    assert_eq!(notices[0]["event"]["type"], "members_added");
    assert!(cast.cleo.texts().is_empty() && cast.mona.texts().is_empty());
    group
}

fn a_question_to_all_is_answered_bit_by_bit(cast: &mut Cast<'_>, group: &str) {
    cast.pyra
        .begin(&format!("me.ask('{group}', 'how long?', wait=60)"));
    let asked = ["check", "--wait=1m", "--conversation", group];
    assert!(cast.cleo.ok(&asked).contains("how long?"));
    let wait = json!({"wait_s": 60, "kind": "request", "conversation": group});
    let asked = cast.mona.tool("ipc_check", wait);
    assert_eq!(text(&letters(&asked)[0]), "how long?");
    cast.cleo.ok(&["reply", "--interim", "counting"]);
    cast.cleo.ok(&["reply", "three days"]);
    let id = asked["messages"][0]["id"].clone();
    cast.mona.tool(
        "ipc_reply",
        json!({"text": "two weeks", "message_id": id, "final": true}),
    );
    let told = cast.pyra.told();
    assert_eq!(
        each(&told["answers"], "text"),
        ["counting", "three days", "two weeks"]
    );
    assert_eq!(told["answers"][0]["interim"], true);
    assert_eq!(told["ended"], "answered");
    // An answer in a group is heard by all of it.
    assert_eq!(cast.cleo.texts(), ["two weeks"]);
    assert_eq!(cast.mona.texts(), ["counting", "three days"]);
}

fn each_waits_for_whom_it_wants(cast: &mut Cast<'_>) {
    let waiting = ["check", "--from", "mona", "--wait=1m", "--json"];
    let waiting = cast.cleo.start(&waiting);
    cast.pyra.does("me.send('cleo', 'by the way')");
    cast.mona.send("cleo", "what you wait for");
    assert_eq!(texts(waiting), ["what you wait for"]);
    assert_eq!(cast.cleo.texts(), ["by the way"]);
}

fn a_task_is_proposed_and_accepted(cast: &mut Cast<'_>) {
    // Whoever waits answers pings, and goes on waiting; a host answers them by itself.
    cast.pyra.begin("me.check(wait=60, sender='cleo')");
    let ping = json!({"to": "pyra", "text": "ping", "kind": "ping", "wait_s": 60});
    assert_eq!(cast.mona.tool("ipc_send", ping)["ended"], "answered");
    let said = cast
        .cleo
        .ok(&["send", "mona", "--kind", "ping", "--wait=1m"]);
    assert!(said.contains("mona is there"), "{said}");
    cast.cleo
        .ok(&["send", "pyra", "--kind", "task_proposal", "tag it?"]);
    let proposed = cast.pyra.told();
    assert_eq!(each(&proposed, "kind"), ["task_proposal"]);
    let id = proposed[0]["id"].as_str().unwrap();
    let accept = format!("me.send('cleo', 'I do', kind='task_accept', reply_to='{id}')");
    cast.pyra.does(&accept);
    let accepted = cast
        .cleo
        .json(&["check", "--kind", "task_accept", "--wait=1m"]);
    assert_eq!(accepted["messages"][0]["reply_to"], id);
}

fn all_of_it_is_remembered(cast: &mut Cast<'_>, group: &str) {
    let found = cast
        .cleo
        .json(&["history", "--search", "\"three days\" OR weeks"]);
    assert_eq!(each(&found["entries"], "direction"), ["sent", "received"]);
    let search = json!({"conversation": group, "search": "count*"});
    let found = cast.mona.tool("ipc_history", search);
    assert_eq!(each(&found["messages"], "from"), ["cleo"]);
    let found = cast
        .pyra
        .does("me.history('tag', peer='cleo', kind='task_proposal')");
    assert_eq!(found["entries"][0]["direction"], "received");
    assert_eq!(found["entries"][0]["deliveries"][0]["handover"], "shim");
}

fn one_leaves(cast: &mut Cast<'_>, group: &str) {
    cast.cleo.ok(&["conversation", "leave", group]);
    let told = cast.pyra.does("me.check(wait=60, kind='system')");
    assert_eq!(told[0]["event"]["type"], "member_left");
    let sent = cast.pyra.does(&format!("me.send('{group}', 'she left')"));
    assert_eq!(each(&sent["recipients"], "name"), ["mona"]);
    assert_eq!(cast.mona.texts(), ["she left"]);
    assert!(cast.cleo.texts().is_empty());
}

fn one_chooses_whose_mail_it_takes(cast: &mut Cast<'_>) {
    cast.cleo.ok(&["block", "pyra"]);
    let refused = cast.pyra.does("me.send('cleo', 'why?')");
    assert_eq!(refused["refused"], "blocked");
    cast.cleo.ok(&["block", "--remove", "pyra"]);
    cast.cleo.ok(&["allow", "--only", "on"]);
    cast.cleo.ok(&["allow", "mona"]);
    let sent = cast.pyra.does("me.send('cleo', 'let me in')");
    assert_eq!(each(&sent["recipients"], "type"), ["held"]);
    cast.mona.send("cleo", "do let her in");
    assert_eq!(cast.cleo.texts(), ["do let her in"]);
    cast.cleo.ok(&["allow", "pyra"]);
    assert_eq!(cast.cleo.texts(), ["let me in"]);
    cast.cleo.ok(&["allow", "--only", "off"]);
}

fn one_is_told_of_mail_by_its_project(cast: &mut Cast<'_>) {
    let status = cast.mona.tool("ipc_status", json!({"notices": "on"}));
    assert_eq!(status["notices"], true, "{status}");
    let id = status["agent_id"].as_str().unwrap();
    let notices = cast.home.data_dir().notices();
    let file = notices.join(format!("{id}.md"));
    cast.pyra.does("me.send('mona', 'while you were away')");
    // The daemon writes it a moment later; there is nothing else that says so.
    let sentence = |file: &PathBuf| std::fs::read_to_string(file).unwrap_or_default();
    while !sentence(&file).contains("1 new message for mona, from pyra") {}
    assert!(!sentence(&file).contains("while you were away"));
    let imported = std::fs::read_to_string(folder(cast.home).join("CLAUDE.md")).unwrap();
    assert!(imported.contains(&format!("{id}.md")), "{imported}");
    assert_eq!(cast.mona.texts(), ["while you were away"]);
    let status = cast.mona.tool("ipc_status", json!({"notices": "off"}));
    assert_eq!(status["notices"], false);
    while file.exists() {}
}

fn a_file_is_shared(cast: &mut Cast<'_>) {
    std::fs::write(folder(cast.home).join("notes.md"), "# 1.0\n").unwrap();
    let call = json!({"to": "pyra", "path": "notes.md", "description": "the notes"});
    cast.mona.tool("ipc_share_file", call);
    let came = cast.pyra.does("me.check(wait=60)");
    assert_eq!(each(&came, "text"), ["# 1.0\n"]);
    assert_eq!(came[0]["data"]["shared_file"]["path"], "notes.md");
    assert_eq!(cast.pyra.does("me.check()"), json!([]));
}
