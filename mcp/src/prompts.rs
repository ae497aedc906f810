//! Prompts: the common phrases, for hosts that offer them as commands; and completion of names.

use std::sync::Arc;

use ipc_protocol::request::{AgentRow, List};
use rmcp::ErrorData;
use rmcp::model::{
    CompletionInfo, GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role,
};
use serde_json::Value;

use crate::desk::Desk;
use crate::limits::COMPLETIONS;

/// A prompt: its name, what it is for, its arguments, and the words with `{argument}` in them.
struct Row {
    name: &'static str,
    about: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    words: &'static str,
}

const NAME: (&str, &str) = ("name", "name of an agent");
const TEXT: (&str, &str) = ("text", "the message");

const PROMPTS: [Row; 8] = [
    Row {
        name: "check",
        about: "Read new mail from other agents",
        arguments: &[],
        words: "Call ipc_check and tell me who wrote what.",
    },
    Row {
        name: "send",
        about: "Send a message to another agent",
        arguments: &[NAME, TEXT],
        words: "Call ipc_send with to {name} and this text, as it is: {text}",
    },
    Row {
        name: "ask",
        about: "Send a message and wait for the answer",
        arguments: &[NAME, TEXT],
        words: "Call ipc_send with to {name}, wait_s 240 and this text, as it is: {text}",
    },
    Row {
        name: "reply",
        about: "Answer the last message",
        arguments: &[TEXT],
        words: "Call ipc_reply with this text, as it is: {text}",
    },
    Row {
        name: "broadcast",
        about: "Send a message to everybody",
        arguments: &[TEXT],
        words: "Call ipc_broadcast with this text, as it is: {text}",
    },
    Row {
        name: "list",
        about: "Show who is there",
        arguments: &[],
        words: "Call ipc_list and tell me who is there.",
    },
    Row {
        name: "register",
        about: "Take up a name",
        arguments: &[NAME],
        words: "Call ipc_register with name {name}.",
    },
    Row {
        name: "wait",
        about: "Wait for mail and handle it",
        arguments: &[],
        words: "Call ipc_check with wait_s 240, again and again until mail comes, then tell me.",
    },
];

/// Every prompt, for the host.
pub(crate) fn all() -> Vec<Prompt> {
    let argument = |(name, about): &(&str, &str)| {
        PromptArgument::new(*name)
            .with_description(*about)
            .with_required(true)
    };
    let prompt = |row: &Row| {
        let arguments: Vec<_> = row.arguments.iter().map(argument).collect();
        let arguments = Some(arguments).filter(|all| !all.is_empty());
        Prompt::new(row.name, Some(row.about), arguments)
    };
    PROMPTS.iter().map(prompt).collect()
}

/// The words of the prompt `name`.
pub(crate) fn find(
    name: &str,
    arguments: Option<&JsonObject>,
) -> Result<GetPromptResult, ErrorData> {
    let row = PROMPTS.iter().find(|row| row.name == name);
    let row = row.ok_or_else(|| {
        let names: Vec<_> = PROMPTS.iter().map(|row| row.name).collect();
        ErrorData::invalid_params(
            format!("there is no such prompt; there are: {}", names.join(", ")),
            None,
        )
    })?;
    let mut words = row.words.to_owned();
    // The text goes in last: nothing is looked for in it.
    for (argument, _) in row.arguments {
        let given = arguments.and_then(|given| given.get(*argument));
        let given = given.and_then(Value::as_str).ok_or_else(|| {
            ErrorData::invalid_params(format!("the argument {argument} is missing"), None)
        })?;
        words = words.replacen(&format!("{{{argument}}}"), given, 1);
    }
    let message = PromptMessage::new_text(Role::User, words);
    Ok(GetPromptResult::new(vec![message]).with_description(row.about))
}

/// Names that begin with `begun`, for whoever types one.
pub(crate) async fn complete(argument: &str, begun: &str, desk: &Arc<Desk>) -> CompletionInfo {
    let is_name = matches!(argument, "name" | "to" | "new_name");
    if !is_name || desk.current_agent().is_none() {
        return CompletionInfo::default();
    }
    let begun = begun.to_ascii_lowercase();
    let fits = |row: &&AgentRow| {
        let name = row.name.as_str().to_ascii_lowercase();
        !row.is_self && name.starts_with(&begun)
    };
    let agents = desk
        .call(List::default())
        .await
        .map_or_else(|_| Vec::new(), |all| all.agents);
    let names = agents.iter().filter(fits).map(|row| row.name.to_string());
    let names = names.take(COMPLETIONS).collect();
    CompletionInfo::with_all_values(names).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(name: &str, arguments: &Value) -> Result<String, ErrorData> {
        let result = find(name, arguments.as_object())?;
        let message = result.messages.into_iter().next().unwrap();
        Ok(message.content.as_text().unwrap().text.clone())
    }

    #[test]
    fn a_prompt_takes_its_arguments_as_they_are() {
        let said = words("send", &json!({"name": "bob", "text": "a {name} {text}"})).unwrap();
        assert!(
            said.contains("to bob") && said.ends_with("a {name} {text}"),
            "{said}"
        );
        assert!(
            words("send", &json!({"name": "bob"}))
                .unwrap_err()
                .message
                .contains("text")
        );
        assert!(
            words("dance", &json!({}))
                .unwrap_err()
                .message
                .contains("check")
        );
    }
}
