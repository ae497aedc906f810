//! Names that are chosen: configured ones, `ipc_register`, `ipc_rename`.

use serde_json::{Value, json};

use crate::harness::{Home, Host, listed, words};

fn register(host: &mut Host, name: &str) -> Value {
    host.tool("ipc_register", json!({"name": name}))
}

fn take_over(host: &mut Host, name: &str) -> Value {
    host.tool("ipc_register", json!({"name": name, "takeover": true}))
}

#[test]
fn a_second_host_with_the_same_configured_name_is_refused_until_it_takes_over() {
    let home = Home::new();
    let configured = || home.host("app").with("IPC_INSTANCE", "alice").start();
    let (mut first, mut second) = (configured(), configured());
    assert_eq!(first.name(), "alice");
    let refused = second.refused("ipc_check", json!({}));
    assert_eq!(refused["code"], "name_in_use");
    let hint = refused["hint"].as_str().unwrap();
    assert!(
        hint.contains("IPC_INSTANCE=alice") && hint.contains("takeover true"),
        "{hint}"
    );
    assert_eq!(take_over(&mut second, "alice")["name"], "alice");
    for tool in ["ipc_status", "ipc_register"] {
        assert_eq!(
            first.refused(tool, json!({}))["code"],
            "taken_over",
            "{tool}"
        );
    }
    home.register("bob").send("alice", "whose is it?");
    let lost = first.refused("ipc_check", json!({}));
    assert_eq!(lost["code"], "taken_over");
    let way_back = lost["hint"].as_str().unwrap();
    assert!(
        way_back.contains("ipc_register with takeover true"),
        "{way_back}"
    );
    assert_eq!(second.texts(), ["whose is it?"]);
    assert_eq!(take_over(&mut first, "alice")["name"], "alice");
    assert_eq!(first.texts(), Vec::<String>::new());
    assert_eq!(second.refused("ipc_check", json!({}))["code"], "taken_over");
}

#[test]
fn a_takeover_ends_the_wait_of_the_host_before() {
    let home = Home::new();
    let configured = || home.host("app").with("IPC_INSTANCE", "alice").start();
    let (mut first, mut second) = (configured(), configured());
    let waiting = first.begin_tool("ipc_check", json!({"wait_s": 240}));
    first.begin_tool("ipc_status", json!({}));
    first.response(waiting + 1);
    take_over(&mut second, "alice");
    let response = first.response(waiting);
    assert_eq!(
        response["result"]["structuredContent"]["error"]["code"],
        "taken_over"
    );
}

#[test]
fn a_chosen_name_keeps_the_mail_of_the_automatic_one() {
    let home = Home::new();
    let mut host = home.host("app").start();
    assert_eq!(host.name(), "app");
    let id = host.tool("ipc_register", json!({}))["agent_id"].clone();
    home.register("bob").send("app", "early");
    let registered = register(&mut host, "alice");
    assert_eq!(
        (&registered["name"], &registered["agent_id"]),
        (&json!("alice"), &id)
    );
    assert_eq!(registered["waiting"], 1);
    assert_eq!(host.texts(), ["early"]);
    let again = register(&mut host, "ALICE");
    assert_eq!((&again["name"], &again["agent_id"]), (&json!("alice"), &id));
    let refused = host.refused("ipc_register", json!({"name": "carol"}));
    assert!(
        refused["hint"]
            .as_str()
            .unwrap()
            .contains("ipc_rename with new_name carol")
    );
    assert_eq!(host.name(), "alice");
}

#[test]
fn a_host_that_has_not_enrolled_registers_straight_under_the_chosen_name() {
    let home = Home::new();
    let mut host = home.host("app").start();
    let registered = register(&mut host, "alice");
    assert_eq!(
        (&registered["name"], &registered["online"]),
        (&json!("alice"), &json!([]))
    );
    assert_eq!(listed(&home), ["alice".to_owned()].into());
    let said = words(&host.call("ipc_register", json!({})));
    assert!(said.contains("registered as alice"), "{said}");
}

#[test]
fn coming_back_to_a_kept_name_sends_the_empty_automatic_one_away() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut before = home.host("app").start();
    register(&mut before, "alice");
    let mut host = home.host("app").start();
    assert_eq!(host.name(), "app");
    before.close();
    bob.send("alice", "while you were away");
    let registered = register(&mut host, "alice");
    assert_eq!(registered["waiting"], 1);
    assert!(registered.get("notes").is_none(), "{registered}");
    assert_eq!(host.texts(), ["while you were away"]);
    assert_eq!(listed(&home), ["alice", "bob"].map(str::to_owned).into());
}

#[test]
fn coming_back_to_a_kept_name_says_where_mail_of_the_automatic_one_waits() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut before = home.host("app").start();
    register(&mut before, "alice");
    let mut host = home.host("app").start();
    assert_eq!(host.name(), "app");
    before.close();
    bob.send("app", "not lost");
    let notes = register(&mut host, "alice")["notes"].to_string();
    assert!(
        notes.contains("1 message") && notes.contains("app"),
        "{notes}"
    );
    assert!(listed(&home).contains("app"));
    host.close();
    let mut host = home.host("app").start();
    register(&mut host, "app");
    assert_eq!(host.texts(), ["not lost"]);
}

#[test]
fn a_name_of_another_live_window_is_refused_and_can_be_taken_over() {
    let home = Home::new();
    let (mut first, mut second) = (home.host("app").start(), home.host("app").start());
    register(&mut first, "alice");
    assert_eq!(second.name(), "app");
    let refused = second.refused("ipc_register", json!({"name": "alice"}));
    assert_eq!(refused["code"], "name_in_use");
    assert!(
        refused["hint"].as_str().unwrap().contains("takeover true"),
        "{refused}"
    );
    assert_eq!(second.name(), "app", "nothing has changed");
    take_over(&mut second, "alice");
    assert_eq!(second.name(), "alice");
    assert_eq!(first.refused("ipc_list", json!({}))["code"], "taken_over");
}

#[test]
fn no_tool_call_takes_an_agent_of_another_folder_or_terminal() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut app = home.host("app").start();
    assert_eq!(app.name(), "app");
    bob.send("app", "for app only");
    let mut lib = home.host("lib").start();
    for name in ["app", "bob"] {
        for takeover in [false, true] {
            let refused = lib.refused("ipc_register", json!({"name": name, "takeover": takeover}));
            assert_eq!(refused["code"], "forbidden", "{name}: {refused}");
        }
    }
    app.close();
    lib.refused("ipc_register", json!({"name": "app"}));
    let mut configured = home.host("lib").with("IPC_INSTANCE", "app").start();
    assert_eq!(configured.texts(), ["for app only"], "a person has decided");
}

#[test]
fn a_command_that_renames_the_agent_beside_the_server_is_followed() {
    let home = Home::new();
    let mut host = home.host("app").start();
    assert_eq!(host.name(), "app");
    home.ok(&["--as", "app", "rename", "alice"]);
    assert_eq!(host.name(), "alice");
    home.register("bob").send("alice", "found");
    assert_eq!(host.texts(), ["found"]);
    assert_eq!(register(&mut host, "alice")["name"], "alice");
    home.ok(&["--as", "bob", "send", "alice", "still"]);
    assert_eq!(host.texts(), ["still"], "its own name was not given up");
    assert!(listed(&home).contains("alice"));
}

#[test]
fn an_agent_whose_credentials_were_all_revoked_is_told_to_register_and_can() {
    let home = Home::new();
    let mut host = home.host("app").start();
    register(&mut host, "alice");
    home.ok(&["admin", "revoke", "alice"]);
    let refused = host.refused("ipc_check", json!({}));
    assert_eq!(refused["code"], "unauthenticated");
    assert!(
        refused["hint"].as_str().unwrap().contains("ipc_register"),
        "{refused}"
    );
    assert_eq!(register(&mut host, "alice")["name"], "alice");
    home.register("bob").send("alice", "there again");
    assert_eq!(host.texts(), ["there again"]);
}

#[test]
fn every_name_in_a_result_is_what_the_agent_is_called_now() {
    let home = Home::new();
    let mut host = home.host("app").start();
    let renamed = host.tool("ipc_rename", json!({"new_name": "alice"}));
    assert_eq!(
        (&renamed["old_name"], &renamed["name"]),
        (&json!("app"), &json!("alice"))
    );
    assert!(renamed["forwards_until"].is_string());
    let status = host.tool("ipc_status", json!({}));
    assert_eq!(status["aliases"], json!(["app"]));
    let soon = host.refused("ipc_rename", json!({"new_name": "carol"}));
    assert!(soon["retry_after_ms"].is_u64(), "{soon}");
    assert!(register(&mut host, "alice")["name"] == "alice");
}
