//! `ipc do` and `ipc help`: what is said in plain language is done, and what is in doubt is not.

use serde_json::{Value, json};

use crate::harness::{Home, Said, Window, program};

#[test]
fn a_phrase_sends_what_it_says_and_says_so_first() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let said = alice.run(&["do", "tell Bob: Need  HELP: now"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.err, "understood: send to Bob: Need  HELP: now\n");
    assert!(said.out.starts_with("sent m."), "{said:?}");
    alice.ok(&["do", "please", "tell", "bob", "it", "works"]);
    let from_pipe = ["--as", "alice", "do", "-"];
    let piped = home.run_with_input(&from_pipe, b"msg bob: line one\nline two\n");
    assert_eq!(piped.status, 0, "{piped:?}");
    let expected = ["Need  HELP: now", "it works", "line one\nline two"];
    assert_eq!(bob.texts(), expected);
}

#[test]
fn mail_is_read_answered_passed_on_and_broadcast_by_phrases() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let carol = home.register("carol");
    alice.ok(&["do", "message bob: which port?"]);
    let read = bob.ok(&["do", "any new messages?"]);
    assert!(read.contains("which port?"), "{read}");
    bob.ok(&["do", "reply: 8080"]);
    bob.ok(&["do", "forward it to carol"]);
    alice.ok(&["do", "tell everyone: deploying"]);
    assert_eq!(alice.texts(), ["8080"]);
    assert_eq!(bob.texts(), ["deploying"]);
    assert!(carol.texts().contains(&"deploying".to_owned()));
    let listed = alice.ok(&["do", "who's online?"]);
    assert!(listed.contains("carol"), "{listed}");
    let who = alice.ok(&["do", "who am I?"]);
    assert!(who.contains("alice"), "{who}");
}

#[test]
fn whoever_wants_to_be_called_something_is_registered_then_renamed() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    let said = window.run(&["do", "Call me jarvis"]);
    assert_eq!(said.err, "understood: register as jarvis\n", "{said:?}");
    let again = window.run(&["do", "my name is jarvis"]);
    assert_eq!(again.err, "understood: register as jarvis\n", "{again:?}");
    assert_eq!(again.status, 0, "{again:?}");
    let shown = window.ok(&["do", "--dry-run", "I want to be called friday-2 now"]);
    assert!(shown.ends_with("command: ipc rename friday-2\n"), "{shown}");
    let said = window.run(&["do", "I want to be called friday-2 now"]);
    assert_eq!(said.err, "understood: rename to friday-2\n", "{said:?}");
    assert!(window.ok(&["whoami"]).contains("friday-2"));

    let mut other = Window::open(&home, &[]);
    let said = other.run(&["do", "register as fred"]);
    assert_eq!(said.status, 0, "{said:?}");
    let said = other.run(&["do", "rename to fred-debugging"]);
    assert_eq!(said.status, 0, "{said:?}");
    let stranger = home.run(&["--as", "nobody", "do", "call me eve"]);
    stranger.refused(2, &["no credentials are kept here for nobody"]);
    window.close();
    other.close();
}

#[test]
fn a_dry_run_shows_the_command_and_does_nothing() {
    let home = Home::new();
    let shown = home.ok(&["do", "--dry-run", "msg claude: it's $HOME"]);
    let expected = "understood: send to claude: it's $HOME\n\
                    command: ipc send claude 'it'\\''s $HOME'\n";
    assert_eq!(shown, expected);
    let auto_check = home.ok(&["do", "--dry-run", "start auto checking every 5 minutes"]);
    assert!(auto_check.ends_with("command: ipc auto-check start 5\n"));
    assert!(!home.data_dir().root().exists(), "nothing was made");

    let alice = home.register("alice");
    let bob = home.register("bob");
    let shown = alice.json(&["do", "--dry-run", "tell bob -n is no option"]);
    let expected = json!({
        "command": ["ipc", "--as=alice", "send", "--", "bob", "-n is no option"],
        "understood": {"intent": "send", "text": "-n is no option", "to": "bob"},
    });
    assert_eq!(shown, expected);
    assert!(bob.texts().is_empty());
}

#[test]
fn a_shell_does_the_command_that_is_shown() {
    let home = Home::new();
    home.register("alice");
    let bob = home.register("bob");
    let text = "it's \"quoted\" `x` $HOME *  ;";
    let phrase = format!("msg bob: {text}");
    let shown = home.ok(&["--as", "alice", "do", "--dry-run", &phrase]);
    let (_, line) = shown.trim_end().split_once("command: ").unwrap();
    let directory = program().parent().unwrap().to_owned();
    let status = std::process::Command::new("/bin/sh")
        .args(["-c", line])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", directory)
        .output()
        .unwrap();
    assert_eq!(Said::of(&status).status, 0, "{line}");
    assert_eq!(bob.texts(), [text]);
}

#[test]
fn doubt_sends_nothing_and_names_three_forms() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    for phrase in [
        "don't tell bob: hi",
        "should I tell bob: hi",
        "tell bob and alice: hi",
        "tell bob when it works",
        "send bob hello",
        "msg bob",
        "msg b\u{43e}b: hi",
        "tell everyone except bob: hi",
        "call me later",
        "start auto checking every 61 minutes",
        "check the logs",
        "",
    ] {
        let said = alice.run(&["do", phrase]);
        said.refused(2, &["error: ", "\nhint: nothing was done; say `"]);
        let (_, hint) = said.err.split_once("hint: ").unwrap();
        assert_eq!(hint.matches('`').count(), 6, "{phrase}: {hint}");
        assert_eq!(said.out, "", "{phrase}");
    }
    assert!(bob.texts().is_empty());
    assert_eq!(alice.json(&["receipts"])["receipts"], json!([]));
    let refused = alice.run(&["--json", "do", "msg bob"]);
    assert_eq!(refused.error()["exit_status"], 2);
    assert_eq!(refused.error()["code"], Value::Null);
    home.run(&["do"]).refused(2, &["PHRASE"]);
}

#[test]
fn hidden_characters_of_a_phrase_are_shown_escaped_and_sent_as_they_are() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let text = "a\u{1b}]0;x\u{7}b\u{202e}c\nunderstood: nothing";
    let phrase = format!("msg bob: {text}");
    let said = alice.run(&["do", &phrase]);
    let expected = "understood: send to bob: a\\x1b]0;x\\x07b⟨U+202E⟩c\\x0aunderstood: nothing\n";
    assert_eq!(said.err, expected);
    assert_eq!(bob.texts(), [text]);
    let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{200b}';
    let shown = alice.ok(&["do", "--dry-run", &phrase]);
    assert!(!shown.contains(hidden), "{shown:?}");
    assert_eq!(shown.lines().count(), 2, "{shown}");
    let refused = alice.run(&["do", "msg \u{1b}[2Jbob\u{200b}: hi"]);
    refused.refused(2, &["`\\x1b[2Jbob⟨U+200B⟩` cannot be a name"]);
    assert!(!refused.err.contains(hidden), "{refused:?}");
}

#[test]
fn standard_output_and_status_are_those_of_the_command() {
    let home = Home::new();
    let alice = home.register("alice");
    let said = alice.run(&["--json", "do", "msg bob: hi"]);
    let understood: Value = serde_json::from_str(&said.err).unwrap();
    let expected = json!({"intent": "send", "text": "hi", "to": "bob"});
    assert_eq!(understood, json!({"understood": expected}));
    let sent: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(sent["recipients"][0]["outcome"]["type"], "unclaimed");
    let quiet = alice.run(&["-q", "do", "msg bob: hi"]);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    home.run(&["--as", "nobody", "do", "msg bob: hi"])
        .refused(2, &["understood: send to bob: hi", "ipc register nobody"]);
    alice.run(&["do", "forward to bob"]).refused(
        1,
        &["understood: forward the last message to bob", "error: "],
    );
}

#[test]
fn help_is_there_for_commands_and_for_agents() {
    let home = Home::new();
    let agents = home.ok(&["help", "agents"]);
    assert!(agents.lines().count() < 40, "{agents}");
    assert!(agents.contains("`ipc do \"PHRASE\"`"), "{agents}");
    assert!(!home.data_dir().root().exists(), "nothing was made");
    for (line, same) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "send"], &["send", "--help"]),
        (&["help", "daemon", "start"], &["daemon", "start", "--help"]),
        (&["help", "help"], &["help", "--help"]),
    ] {
        assert_eq!(home.ok(line), home.ok(same), "{line:?}");
    }
    assert!(home.ok(&["--help"]).contains("ipc help agents"));
    home.run(&["help", "sned"])
        .refused(2, &["unrecognized subcommand 'sned'", "send"]);
    home.run(&["help", "--", "send", "bob", "--"])
        .refused(2, &["no such command"]);
}
