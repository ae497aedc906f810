//! When a host becomes an agent, and which.

use serde_json::json;

use crate::harness::{Era, Home, Host, listed};

const ERAS: [Era; 2] = [Era::Legacy("2024-11-05"), Era::Modern];

fn kept(home: &Home) -> usize {
    let files = std::fs::read_dir(home.data_dir().agents());
    files.map_or(0, |files| {
        let names = files.map(|file| file.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().ends_with(".json"))
            .count()
    })
}

fn look_around(host: &mut Host) {
    for method in [
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
        "ping",
    ] {
        host.ask(method, json!({}));
    }
    host.result("prompts/get", json!({"name": "check"}));
}

#[test]
fn a_host_that_only_looks_makes_no_agent() {
    for era in ERAS {
        let home = Home::new();
        let mut host = home.host("app").era(era).start();
        look_around(&mut host);
        let ended = host.close();
        assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{era:?}");
        assert_eq!(kept(&home), 0, "{era:?}");
        assert!(!home.data_dir().daemon_lock().exists(), "no daemon either");
        assert!(listed(&home).is_empty(), "{era:?}");
    }
}

#[test]
fn the_first_tool_call_resource_or_subscription_enrols() {
    let uri = json!({"uri": "ipc://inbox"});
    let listen = json!({"notifications": {"resourceSubscriptions": ["ipc://inbox"]}});
    let uses = [
        (
            ERAS[0],
            "tools/call",
            json!({"name": "ipc_list", "arguments": {}}),
        ),
        (
            ERAS[1],
            "tools/call",
            json!({"name": "ipc_list", "arguments": {}}),
        ),
        (ERAS[0], "resources/read", uri.clone()),
        (ERAS[1], "resources/read", uri.clone()),
        (ERAS[0], "resources/subscribe", uri),
    ];
    let home = Home::new();
    for (at, (era, method, params)) in uses.into_iter().enumerate() {
        let folder = format!("work/project-{at}");
        let mut host = home.host(&folder).era(era).start();
        host.result(method, params);
        assert!(listed(&home).contains(&format!("project-{at}")), "{method}");
    }
    let mut host = home.host("listening").era(Era::Modern).start();
    host.begin("subscriptions/listen", listen);
    host.notification("notifications/resources/updated");
    assert!(listed(&home).contains("listening"));
}

#[test]
fn the_name_is_made_from_the_folder_of_the_project() {
    let home = Home::new();
    let mut host = home.host("My App (2)").start();
    assert_eq!(host.name(), "My-App-2");
    let hinted = home.path().join("hinted");
    let hinted = hinted.to_str().unwrap();
    let mut host = home.host("x").with("CLAUDE_PROJECT_DIR", hinted).start();
    assert_eq!(host.name(), "hinted");
    let mut host = home.host("all").start();
    assert_eq!(host.name(), "agent", "a reserved word is no name");
}

#[test]
fn a_second_live_window_in_the_same_folder_gets_a_number() {
    let home = Home::new();
    let (mut first, mut second) = (home.host("app").start(), home.host("app").start());
    assert_eq!(
        (first.name(), second.name()),
        ("app".into(), "app-2".into())
    );
    let mut third = home.host("app").start();
    assert_eq!(third.name(), "app-3");
    first.send("app-2", "to the second");
    assert_eq!(second.texts(), ["to the second"]);
}

#[test]
fn under_a_program_that_nobody_knows_the_parent_stands_for_the_agent() {
    let home = Home::new();
    let editor = |folder| home.host(folder).program("editor").start();
    let (mut first, mut second) = (editor("app"), editor("app"));
    assert_eq!(
        (first.name(), second.name()),
        ("app".into(), "app-2".into())
    );
    first.kill();
    assert_eq!(editor("app").name(), "app", "its window has ended");
}

#[test]
fn whoever_is_started_again_in_a_folder_has_its_name_and_mail_back() {
    let home = Home::new();
    let bob = home.register("bob");
    let (mut first, mut second) = (home.host("app").start(), home.host("app").start());
    assert_eq!(
        (first.name(), second.name()),
        ("app".into(), "app-2".into())
    );
    second.close();
    bob.send("app-2", "for the second");
    let mut second = home.host("app").start();
    assert_eq!(
        (second.name(), second.texts()),
        ("app-2".into(), vec!["for the second".into()])
    );
    first.kill();
    bob.send("app", "for the first");
    let mut first = home.host("app").start();
    assert_eq!(
        (first.name(), first.texts()),
        ("app".into(), vec!["for the first".into()])
    );
    second.close();
    first.close();
}

#[test]
fn a_renamed_agent_is_found_by_its_folder() {
    let home = Home::new();
    let mut host = home.host("app").start();
    host.tool("ipc_rename", json!({"new_name": "builder"}));
    assert_eq!(host.name(), "builder");
    host.close();
    home.register("bob").send("app", "over the old name");
    let mut again = home.host("app").start();
    assert_eq!(again.name(), "builder");
    assert_eq!(again.texts(), ["over the old name"]);
    let mut beside = home.host("app").start();
    assert_ne!(beside.name(), "builder");
}

#[test]
fn another_folder_of_the_same_name_never_gets_the_agent_or_its_mail() {
    let home = Home::new();
    let mut first = home.host("work/app").start();
    assert_eq!(first.name(), "app");
    first.close();
    home.register("bob").send("app", "secret of the first");
    let mut other = home.host("play/app").start();
    assert_eq!((other.name(), other.texts()), ("app-2".into(), vec![]));
    let known = other.refused("ipc_register", json!({"name": "bob"}));
    assert_eq!(known["code"], "forbidden");
    let mut first = home.host("work/app").start();
    assert_eq!(
        (first.name(), first.texts()),
        ("app".into(), vec!["secret of the first".into()])
    );
}
