//! `ipc_share_file`: off by default, and then only what a person allowed.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Home, Host, text};

/// In every file that must not get out.
const CANARY: &str = "CANARY";

/// Lets the folder of `alice` be shared from.
fn allow(home: &Home) {
    let root = fs::canonicalize(home.path()).unwrap().join("alice");
    fs::create_dir_all(&root).unwrap();
    home.configure(&format!("[share]\nroots = [{root:?}]\nlargest = 100\n"));
}

fn share(host: &mut Host, path: &str) -> Value {
    host.refused("ipc_share_file", json!({"to": "bob", "path": path}))
}

#[test]
fn a_file_is_not_shared_unless_a_person_has_allowed_it() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut alice = home.host("alice").start();
    fs::write(home.path().join("alice/notes.txt"), CANARY).unwrap();
    let refused = share(&mut alice, "notes.txt");
    assert_eq!(refused["code"], "forbidden", "{refused}");
    assert!(
        refused["hint"]
            .as_str()
            .unwrap()
            .contains("a person names directories")
    );
    // What is changed while the server runs, by whomever, does not open anything.
    home.ok(&["daemon", "stop"]);
    allow(&home);
    assert_eq!(
        share(&mut alice, "notes.txt")["message"],
        "sharing files is off"
    );
    assert_eq!(bob.texts(), Vec::<String>::new());
}

#[test]
fn a_shared_file_comes_with_its_path_and_is_data() {
    let home = Home::new();
    allow(&home);
    let mut bob = home.host("bob").start();
    assert_eq!(bob.name(), "bob");
    let mut alice = home.host("alice").start();
    fs::create_dir_all(home.path().join("alice/src")).unwrap();
    fs::write(home.path().join("alice/src/main.rs"), "fn main() {}\n").unwrap();
    let call = json!({"to": "bob", "path": "src/main.rs", "description": "the \u{202e}start"});
    let sent = alice.tool("ipc_share_file", call);
    assert_eq!(
        (&sent["path"], &sent["bytes"]),
        (&"src/main.rs".into(), &13.into())
    );
    let letter = &bob.letters()[0];
    assert_eq!(text(letter), "fn main() {}\n");
    // What says which file it is stands in a fence like the text.
    let about = letter["data"].as_str().unwrap();
    assert!(
        about.starts_with("<peer-text ") && about.contains(r#""path":"src/main.rs""#),
        "{about}"
    );
    assert!(
        about.contains(r#""bytes":13"#) && !about.contains('\u{202e}'),
        "{about}"
    );
    assert_eq!(letter["had_hidden_characters"], true, "{letter}");
}

#[test]
fn every_way_around_the_roots_is_refused_by_its_kind() {
    let home = Home::new();
    allow(&home);
    let bob = home.register("bob");
    let mut alice = home.host("alice").start();
    let at = |path: &str| home.path().join("alice").join(path);
    fs::write(home.path().join("outside.txt"), CANARY).unwrap();
    fs::write(at(".env"), CANARY).unwrap();
    fs::write(at("large.txt"), CANARY.repeat(50)).unwrap();
    std::os::unix::fs::symlink(home.path().join("outside.txt"), at("link.txt")).unwrap();
    std::os::unix::fs::symlink("/proc/self", at("self")).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), mode).unwrap();
    let secret = home.data_dir().secret();
    for (path, code) in [
        ("pipe", "forbidden"),
        ("/proc/self/environ", "forbidden"),
        ("self/environ", "forbidden"),
        ("link.txt", "forbidden"),
        ("../outside.txt", "malformed"),
        (".env", "forbidden"),
        (".", "forbidden"),
        (secret.to_str().unwrap(), "forbidden"),
        ("large.txt", "too_large"),
    ] {
        assert_eq!(share(&mut alice, path)["code"], code, "{path}");
    }
    assert_eq!(share(&mut alice, "none.txt")["code"], Value::Null);
    fs::write(at("good.txt"), "good").unwrap();
    for to in ["all", "nobody-yet"] {
        let call = json!({"to": to, "path": "good.txt"});
        let code = alice.refused("ipc_share_file", call)["code"].clone();
        assert!(
            code == "malformed" || code == "unknown_recipient",
            "{to}: {code}"
        );
    }
    let long = json!({"to": "bob", "path": "good.txt", "description": "x".repeat(1_025)});
    assert_eq!(alice.refused("ipc_share_file", long)["code"], "malformed");
    assert_eq!(bob.texts(), Vec::<String>::new());
}

#[test]
fn a_configuration_that_is_wrong_shares_nothing_and_keeps_the_daemon_from_starting() {
    let home = Home::new();
    home.configure("[share]\nrots = [\"/srv\"]\n");
    home.run(&["daemon", "start"]).refused(3, &["rots"]);
}
