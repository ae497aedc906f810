//! The tools: one file each, its arguments beside what it answers.
//!
//! The table at the end is all of them; a line there is what makes a tool exist. Arguments are
//! checked here in code: a schema only advertises.

mod auto_check;
mod broadcast;
mod check;
mod conversation;
mod forward;
mod history;
mod list;
mod read;
mod register;
mod rename;
mod reply;
mod send;
mod sending;
mod share_file;
mod status;

pub(crate) use list::Output as ListOutput;
pub(crate) use status::look;

use std::sync::Arc;

use rmcp::handler::server::tool::{schema_for_input, schema_for_output};
use rmcp::model::{CallToolResult, JsonObject, RequestId, Tool as Description, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, Told};
use crate::desk::Desk;
use crate::failure::Failure;

/// The call that a tool works for.
#[derive(Debug)]
pub(crate) struct Call {
    /// Its id: what the response will carry.
    pub(crate) id: RequestId,
    /// Cancelled when the host gives the call up.
    pub(crate) cancelled: CancellationToken,
}

/// What a tool does to the world, for hosts that ask their user first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It reads.
    Reads,
    /// It changes something, and doing it again changes nothing more.
    Sets,
    /// It adds something each time.
    Adds,
}

/// A tool.
trait Tool {
    /// Its name, distinct from every tool that hosts bring.
    const NAME: &'static str;
    /// Its title for people.
    const TITLE: &'static str;
    /// What it is for, for a model: under 2 KB.
    const DESCRIPTION: &'static str;
    /// What it does to the world.
    const EFFECT: Effect;
    /// What it takes.
    type Arguments: DeserializeOwned + JsonSchema + Send + 'static;
    /// What it gives.
    type Output: Serialize + JsonSchema + 'static;

    /// Does it.
    fn run(
        arguments: Self::Arguments,
        call: &Call,
        desk: &Arc<Desk>,
    ) -> impl Future<Output = Result<Answer<Self::Output>, Failure>> + Send;
}

macro_rules! tools {
    ($($tool:ty,)*) => {
        /// What every tool is, for the host.
        pub(crate) fn all() -> Vec<Description> {
            vec![$(describe::<$tool>(),)*]
        }

        /// What the tool `name` is.
        pub(crate) fn find(name: &str) -> Option<Description> {
            $(if name == <$tool>::NAME {
                return Some(describe::<$tool>());
            })*
            None
        }

        /// Calls the tool `name`; nothing when there is none.
        pub(crate) async fn call(
            name: &str,
            arguments: JsonObject,
            call: &Call,
            desk: &Arc<Desk>,
        ) -> Option<CallToolResult> {
            let done = match name {
                $(<$tool>::NAME => run::<$tool>(arguments, call, desk).await,)*
                _ => return None,
            };
            Some(match done {
                Ok(result) => result,
                Err(failure) => {
                    // An error carries no mail, so that none may count as seen with it.
                    desk.give_back(&call.id).await;
                    failure.into_result()
                }
            })
        }
    };
}

tools! {
    register::Register,
    send::Send,
    check::Check,
    read::Read,
    reply::Reply,
    forward::Forward,
    broadcast::Broadcast,
    history::History,
    list::List,
    rename::Rename,
    status::Status,
    conversation::Conversation,
    auto_check::AutoCheck,
    share_file::ShareFile,
}

async fn run<T: Tool>(
    arguments: JsonObject,
    call: &Call,
    desk: &Arc<Desk>,
) -> Result<CallToolResult, Failure> {
    let arguments = parse::<T>(arguments)?;
    let _turn = desk.turn(&call.cancelled).await?;
    let answer = T::run(arguments, call, desk).await?;
    answer.into_result(desk).await
}

fn parse<T: Tool>(arguments: JsonObject) -> Result<T::Arguments, Failure> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        let schema = schema_for_input::<T::Arguments>().unwrap_or_default();
        let known = schema.get("properties").and_then(Value::as_object);
        let known: Vec<_> = known
            .into_iter()
            .flat_map(JsonObject::keys)
            .cloned()
            .collect();
        let takes = match known.as_slice() {
            [] => "it takes no arguments".to_owned(),
            [..] => format!("it takes: {}", known.join(", ")),
        };
        Failure::malformed(format!(
            "the arguments of {} are not right: {error}",
            T::NAME
        ))
        .hint(takes)
    })
}

fn describe<T: Tool>() -> Description {
    let input = schema_for_input::<T::Arguments>().unwrap_or_default();
    let hints = ToolAnnotations::with_title(T::TITLE)
        .read_only(T::EFFECT == Effect::Reads)
        .destructive(false)
        .idempotent(T::EFFECT != Effect::Adds)
        .open_world(false);
    Description::new(T::NAME, T::DESCRIPTION, Arc::new(plain(&input)))
        .with_title(T::TITLE)
        .with_raw_output_schema(Arc::new(plain(&schema_for_output::<Told<T::Output>>())))
        .with_annotations(hints)
}

/// The schema without the widths of numbers, which hosts do not know and warn about.
fn plain(schema: &JsonObject) -> JsonObject {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(object) => {
                let is_number = object
                    .get("format")
                    .and_then(Value::as_str)
                    .is_some_and(|format| format.starts_with("uint") || format.starts_with("int"));
                if is_number {
                    object.remove("format");
                }
                object.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut schema = Value::Object(schema.clone());
    strip(&mut schema);
    match schema {
        Value::Object(schema) => schema,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            JsonObject::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_described_within_what_hosts_show() {
        for tool in all() {
            let description = tool.description.as_deref().unwrap();
            assert!(description.len() < 2_048, "{}", tool.name);
            assert!(tool.name.starts_with("ipc_") && tool.title.is_some());
            assert!(tool.output_schema.is_some() && tool.annotations.is_some());
            assert_eq!(find(&tool.name).as_ref(), Some(&tool));
        }
    }

    #[test]
    fn schemas_say_nothing_of_widths_and_refuse_what_is_unknown() {
        for tool in all() {
            let schema = serde_json::to_string(&tool.input_schema).unwrap();
            let output = serde_json::to_string(&tool.output_schema).unwrap();
            assert!(
                !schema.contains("\"uint") && !output.contains("\"uint"),
                "{}",
                tool.name
            );
            let closed = tool.input_schema.get("additionalProperties");
            assert_eq!(closed, Some(&Value::Bool(false)), "{}", tool.name);
        }
    }
}
