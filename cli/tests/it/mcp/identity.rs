//! Which agent a server is: made by its first use, named after its folder or as was chosen.

use serde_json::{Value, json};

use crate::harness::{Home, Host, Plan, done};

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
