//! Which agent a server is: made by its first use, named after its folder or as was chosen.

use serde_json::{Value, json};

use crate::harness::{Agent, Home, Host, Plan, done};

/// The names of the agents for which something is kept here.
fn kept(home: &Home) -> Vec<String> {
    let agents = home.data_dir().root().join("agents");
    let files = home.files();
    let own = files
        .iter()
        .filter(|file| file.parent() == Some(agents.as_path()));
    own.filter(|file| file.extension().is_some_and(|kind| kind == "json"))
        .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

/// The names that the daemon knows.
fn known(home: &Home) -> Vec<String> {
    let listed = home.json(&["list"]);
    let agents = listed["agents"].as_array().unwrap();
    let names = agents.iter().map(|agent| agent["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

/// What the server is called.
fn name(host: &mut Host) -> String {
    let status = host.done("ipc_status", json!({}));
    status["name"].as_str().unwrap().to_owned()
}

/// The words of a result that is an error.
fn error(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn a_host_that_only_looks_makes_no_agent() {
    let home = Home::new();
    let mut host = Host::open(&home, "shop");
    for list in ["tools/list", "resources/list", "prompts/list"] {
        host.ask(list, json!({}));
    }
    host.ask("resources/templates/list", json!({}));
    assert_eq!(host.close(), 0);
    let mut modern = Plan::at(&home, &home.path().join("shop")).start();
    modern.be_modern();
    modern.ask("server/discover", json!({}));
    modern.ask("tools/list", json!({}));
    assert_eq!(modern.close(), 0);
    assert!(!home.data_dir().root().exists(), "nothing was made at all");
    assert!(known(&home).is_empty());
    assert!(kept(&home).is_empty());
}

#[test]
fn the_first_use_of_any_kind_makes_an_agent_named_after_the_folder() {
    let home = Home::new();
    let mut called = Host::open(&home, "Größe & Co.");
    called.tool("ipc_list", json!({}));
    assert_eq!(kept(&home), ["gr-e-co"]);
    let mut read = Host::open(&home, "read");
    read.ask("resources/read", json!({"uri": "ipc://inbox"}));
    let mut subscribed = Host::open(&home, "subscribed");
    subscribed.ask("resources/subscribe", json!({"uri": "ipc://inbox"}));
    let mut names = known(&home);
    names.sort();
    assert_eq!(names, ["Gr-e-Co", "read", "subscribed"]);
    drop(done(called.tool("ipc_status", json!({}))));
}

#[test]
fn a_second_window_in_a_folder_gets_a_number_and_each_comes_back_to_its_own() {
    let home = Home::new();
    let mut first = Host::open(&home, "shop");
    assert_eq!(name(&mut first), "shop");
    let mut second = Host::open(&home, "shop");
    assert_eq!(name(&mut second), "shop-2");
    first.close();
    second.close();
    let mut first = Host::open(&home, "shop");
    assert_eq!(name(&mut first), "shop");
    let mut second = Host::open(&home, "shop");
    assert_eq!(name(&mut second), "shop-2");
    second.done("ipc_rename", json!({"new_name": "till"}));
    first.done("ipc_rename", json!({"new_name": "counter"}));
    second.close();
    first.close();
    let mut one = Host::open(&home, "shop");
    let mut other = Host::open(&home, "shop");
    let mut names = [name(&mut one), name(&mut other)];
    names.sort();
    assert_eq!(names, ["counter", "till"]);
    let mut third = Host::open(&home, "shop");
    assert!(
        name(&mut third).starts_with("shop-"),
        "the old names forward"
    );
}

#[test]
fn a_folder_of_the_same_name_elsewhere_never_takes_up_the_agent_or_its_mail() {
    let home = Home::new();
    let mut first = Host::open(&home, "here/shop");
    assert_eq!(name(&mut first), "shop");
    let alice = home.register("alice");
    alice.send("shop", "for here");
    first.close();
    let mut other = Host::open(&home, "there/shop");
    assert_eq!(name(&mut other), "shop-2");
    assert!(other.texts(json!({})).is_empty());
    other.close();
    let mut back = Host::open(&home, "there/shop");
    assert_eq!(name(&mut back), "shop-2");
    let mut first = Host::open(&home, "here/shop");
    assert_eq!(first.texts(json!({})), ["for here"]);
}

#[test]
fn a_configured_name_is_used_and_a_second_host_with_it_is_told_what_to_do() {
    let home = Home::new();
    let shop = home.path().join("shop");
    let configured = || Plan::at(&home, &shop).variable("IPC_INSTANCE", "clerk");
    let mut first = configured().open();
    assert_eq!(name(&mut first), "clerk");
    let mut second = configured().open();
    let refused = second.tool("ipc_check", json!({}));
    let words = error(&refused);
    assert!(
        words.contains("IPC_INSTANCE=clerk") && words.contains("takeover true"),
        "{words}"
    );
    assert_eq!(refused["structuredContent"]["error"]["code"], "name_in_use");
    assert_eq!(kept(&home), ["clerk"], "no other name was taken");
    home.register("alice").send("clerk", "whoever you are");
    let taken = second.done("ipc_register", json!({"name": "clerk", "takeover": true}));
    assert_eq!(
        (&taken["name"], &taken["waiting"]),
        (&"clerk".into(), &1.into())
    );
    for tool in ["ipc_check", "ipc_status", "ipc_register"] {
        let refused = first.tool(tool, json!({}));
        let words = error(&refused);
        assert!(words.contains("takeover true"), "{tool}: {words}");
        assert_eq!(refused["structuredContent"]["error"]["code"], "taken_over");
    }
    assert_eq!(second.texts(json!({})), ["whoever you are"]);
    first.done("ipc_register", json!({"name": "clerk", "takeover": true}));
    assert_eq!(name(&mut first), "clerk");
    let refused = second.tool("ipc_check", json!({}));
    assert_eq!(refused["structuredContent"]["error"]["code"], "taken_over");
    second.done("ipc_register", json!({"name": "clerk-too"}));
    assert_eq!(
        name(&mut second),
        "clerk-too",
        "another name is the other way back"
    );
}

#[test]
fn a_chosen_name_takes_the_mail_along_and_may_be_said_again() {
    let home = Home::new();
    let mut host = Host::open(&home, "shop");
    let before = host.done("ipc_status", json!({}));
    let alice = home.register("alice");
    alice.send("shop", "early");
    let chosen = host.done("ipc_register", json!({"name": "clerk"}));
    assert_eq!(
        (&chosen["name"], &chosen["agent_id"], &chosen["waiting"]),
        (&"clerk".into(), &before["agent_id"], &1.into())
    );
    assert_eq!(chosen["online"], json!(["alice"]));
    let again = host.done("ipc_register", json!({"name": "Clerk"}));
    assert_eq!(again["agent_id"], before["agent_id"]);
    let unsaid = host.done("ipc_register", json!({}));
    assert_eq!(unsaid["name"], "clerk");
    assert_eq!(host.texts(json!({})), ["early"]);
    let refused = host.tool("ipc_register", json!({"name": "cashier"}));
    let words = error(&refused);
    assert!(
        words.contains("ipc_rename with new_name cashier"),
        "{words}"
    );
    let mut second = Host::open(&home, "shop");
    let refused = second.tool("ipc_register", json!({"name": "clerk"}));
    assert!(error(&refused).contains("takeover true"), "{refused}");
}

#[test]
fn an_automatic_agent_without_mail_makes_way_for_a_kept_one() {
    let home = Home::new();
    let mut host = Host::open(&home, "shop");
    assert_eq!(name(&mut host), "shop");
    host.done("ipc_register", json!({"name": "clerk"}));
    host.close();
    let mut host = Host::open(&home, "elsewhere");
    assert_eq!(name(&mut host), "elsewhere");
    let chosen = host.done("ipc_register", json!({"name": "clerk"}));
    assert!(chosen["notes"].is_null(), "{chosen}");
    assert_eq!(name(&mut host), "clerk");
    assert_eq!(
        kept(&home)
            .iter()
            .filter(|name| *name == "elsewhere")
            .count(),
        0
    );
    assert!(!known(&home).contains(&"elsewhere".to_owned()));
}

#[test]
fn an_automatic_agent_with_mail_stays_and_that_is_said() {
    let home = Home::new();
    let mut host = Host::open(&home, "shop");
    host.done("ipc_register", json!({"name": "clerk"}));
    host.close();
    let mut host = Host::open(&home, "elsewhere");
    assert_eq!(name(&mut host), "elsewhere");
    home.register("alice").send("elsewhere", "not lost");
    let chosen = host.done("ipc_register", json!({"name": "clerk"}));
    let note = chosen["notes"][0].as_str().unwrap();
    assert!(note.contains('1') && note.contains("elsewhere"), "{note}");
    assert!(kept(&home).contains(&"elsewhere".to_owned()));
    assert_eq!(Agent::called(&home, "elsewhere").texts(), ["not lost"]);
}

#[test]
fn a_rename_by_a_command_beside_the_server_is_followed() {
    let home = Home::new();
    let mut host = Host::open(&home, "shop");
    assert_eq!(name(&mut host), "shop");
    home.ok(&["--as", "shop", "rename", "clerk"]);
    assert_eq!(name(&mut host), "clerk");
    home.register("alice").send("clerk", "to the new name");
    assert_eq!(host.texts(json!({})), ["to the new name"]);
    let again = host.done("ipc_register", json!({}));
    assert_eq!(again["name"], "clerk");
    let again = host.done("ipc_register", json!({"name": "clerk"}));
    assert_eq!(again["name"], "clerk");
}
