//! A client that is not ours: the one of `rmcp`, in both lifecycles.

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequestParams, ClientConfig, GetPromptRequestParams, ProtocolVersion,
    ReadResourceRequestParams, ResourceUpdatedNotificationParam, ServerNotification,
    SubscribeRequestParams, SubscriptionFilter,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, NotificationContext, RoleClient, RunningService,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};

use crate::harness::Home;

/// A host that passes on of which resources it was told.
struct Listener(Sender<String>);

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::default()
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.0.send(params.uri).await.unwrap();
    }
}

type Client = RunningService<RoleClient, Listener>;

/// A server of its own for the client; ends with its streams.
async fn open(home: &Home, lifecycle: ClientLifecycleMode, told: Sender<String>) -> Client {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut command = home.command(&["mcp"]);
    let end = |stream: &std::os::unix::net::UnixStream| {
        std::os::fd::OwnedFd::from(stream.try_clone().unwrap())
    };
    command.stdin(end(&theirs)).stdout(end(&theirs));
    command
        .env("IPC_INSTANCE", "alice")
        .current_dir(home.path());
    drop(command.spawn().unwrap());
    drop((command, theirs));
    ours.set_nonblocking(true).unwrap();
    let stream = tokio::net::UnixStream::from_std(ours).unwrap();
    let client = Listener(told).serve_with_lifecycle(stream, lifecycle).await;
    client.unwrap()
}

fn arguments(value: &Value) -> rmcp::model::JsonObject {
    value.as_object().unwrap().clone()
}

async fn call(client: &Client, name: &'static str, given: &Value) -> Value {
    let request = CallToolRequestParams::new(name).with_arguments(arguments(given));
    let result = client.call_tool(request).await.unwrap();
    assert_ne!(result.is_error, Some(true), "{result:?}");
    result.structured_content.unwrap()
}

/// Everything that works alike in both lifecycles.
async fn everything(client: &Client) {
    let tools = client.list_all_tools().await.unwrap();
    assert_eq!(tools.len(), 14);
    assert_eq!(client.list_all_resources().await.unwrap().len(), 3);
    assert_eq!(client.list_all_resource_templates().await.unwrap().len(), 2);
    assert_eq!(client.list_all_prompts().await.unwrap().len(), 8);
    let sent = call(
        client,
        "ipc_send",
        &json!({"to": "alice", "text": "to myself"}),
    )
    .await;
    let id = sent["message_id"].as_str().unwrap();
    let given = call(client, "ipc_check", &json!({})).await;
    assert_eq!(given["messages"][0]["message_id"], id);
    let uri = format!("ipc://message/{id}");
    let read = client
        .read_resource(ReadResourceRequestParams::new(uri))
        .await;
    let shown = serde_json::to_string(&read.unwrap()).unwrap();
    assert!(shown.contains("to myself"), "{shown}");
    let prompt = GetPromptRequestParams::new("register");
    let prompt = prompt.with_arguments(arguments(&json!({"name": "carol"})));
    let prompt = serde_json::to_string(&client.get_prompt(prompt).await.unwrap()).unwrap();
    assert!(prompt.contains("ipc_register with name carol"), "{prompt}");
    let names = client
        .complete_prompt_simple("send", "name", "B")
        .await
        .unwrap();
    assert_eq!(names, ["bob"]);
    let texts = client
        .complete_prompt_simple("send", "text", "b")
        .await
        .unwrap();
    assert!(texts.is_empty());
}

fn in_a_runtime(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let patience = std::time::Duration::from_mins(1);
    let done = runtime
        .unwrap()
        .block_on(async { tokio::time::timeout(patience, test).await });
    done.unwrap();
}

#[test]
fn a_client_of_the_older_revisions_can_do_everything() {
    let home = Home::new();
    let bob = home.register("bob");
    in_a_runtime(async {
        let (told, mut hear) = channel(16);
        let client = open(&home, ClientLifecycleMode::Initialize, told).await;
        everything(&client).await;
        #[expect(deprecated, reason = "it is what the older revisions have")]
        client
            .subscribe(SubscribeRequestParams::new("ipc://inbox"))
            .await
            .unwrap();
        bob.send("alice", "news");
        assert_eq!(hear.recv().await.unwrap(), "ipc://inbox");
        client.cancel().await.unwrap();
    });
}

#[test]
fn a_client_of_the_current_revision_can_do_everything() {
    let home = Home::new();
    let bob = home.register("bob");
    in_a_runtime(async {
        let (told, _hear) = channel(16);
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
        let client = open(&home, lifecycle, told).await;
        everything(&client).await;
        let wanted = SubscriptionFilter::builder();
        let wanted = wanted
            .resource_subscriptions(vec!["ipc://inbox".to_owned()])
            .build();
        let mut subscription = client.listen(wanted).await.unwrap();
        for text in ["", "news"] {
            if !text.is_empty() {
                bob.send("alice", text);
            }
            let update = subscription.next().await.unwrap().unwrap();
            assert!(
                matches!(&update, ServerNotification::ResourceUpdatedNotification(update)
                    if update.params.uri == "ipc://inbox"),
                "{update:?}"
            );
        }
        subscription.cancel().await.unwrap();
        client.cancel().await.unwrap();
    });
}
