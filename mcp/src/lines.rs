//! Lines from the host, and what is wrong with one that is no message.
//!
//! A host that writes something else hears what is wrong with it, and the next line is read as if
//! nothing had been. What has no answer gets none even when it is broken: two programs that refuse
//! each other's refusals would never come to an end.

use std::io;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, ClientRequest, CompleteRequestParams, ErrorData, GetPromptRequestParams,
    InitializeRequestParams, JsonObject, JsonRpcMessage, ReadResourceRequestParams, RequestId,
    SubscribeRequestParams, SubscriptionsListenRequestParams, UnsubscribeRequestParams,
};
use rmcp::service::RxJsonRpcMessage;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, Decoder};

/// Room that is made before each read, in bytes: one page of a pipe and more.
const READ_BYTES: usize = 8 * 1_024;

/// The lines of a stream. What was read of a line is kept here: giving up a call loses nothing.
pub(crate) struct Lines<R> {
    input: R,
    begun: BytesMut,
    codec: AnyDelimiterCodec,
    at_end: bool,
}

/// What a line holds that is no message for us.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The request that it would have been, if that can be told.
    pub(crate) id: Option<RequestId>,
    /// What is wrong with it.
    pub(crate) error: ErrorData,
}

impl<R: AsyncRead + Send + Unpin> Lines<R> {
    /// The lines of `input`, each of at most `longest` bytes.
    pub(crate) fn new(input: R, longest: usize) -> Self {
        Self {
            input,
            begun: BytesMut::new(),
            codec: AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), Vec::new(), longest),
            at_end: false,
        }
    }

    /// The next message, or why what came is none; nothing when the stream has ended.
    ///
    /// # Errors
    /// Those of the stream.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Result<Message, Refused>>> {
        loop {
            let line = match self.line().await {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(None),
                Err(AnyDelimiterCodecError::MaxChunkLengthExceeded) => {
                    let longest = self.codec.max_length();
                    return Ok(Some(Err(Refused::invalid(
                        None,
                        format!("a line holds at most {longest} bytes; write less in one message"),
                    ))));
                }
                Err(AnyDelimiterCodecError::Io(error)) => return Err(error),
            };
            if let Some(found) = parse(&line) {
                return Ok(Some(found));
            }
        }
    }

    async fn line(&mut self) -> Result<Option<Bytes>, AnyDelimiterCodecError> {
        loop {
            if self.at_end {
                return self.codec.decode_eof(&mut self.begun);
            }
            if let Some(line) = self.codec.decode(&mut self.begun)? {
                return Ok(Some(line));
            }
            self.begun.reserve(READ_BYTES);
            self.at_end = self.input.read_buf(&mut self.begun).await? == 0;
        }
    }
}

/// A message of the host.
pub(crate) type Message = RxJsonRpcMessage<RoleServer>;

/// The message in a line, or why there is none; nothing where nothing is to be said.
fn parse(line: &[u8]) -> Option<Result<Message, Refused>> {
    // RFC 8259, section 8.1: a byte order mark may be passed over.
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let line = line.trim_ascii();
    if line.is_empty() {
        return None;
    }
    match serde_json::from_slice(line) {
        Ok(message) => Some(check(message)),
        Err(error) => match serde_json::from_slice(line) {
            Ok(Value::Object(object)) => refuse(&object, &error).map(Err),
            Ok(_) => Some(Err(Refused::invalid(
                None,
                "one JSON-RPC message a line, and a message is an object: this is none".to_owned(),
            ))),
            Err(error) => Some(Err(Refused {
                id: None,
                error: ErrorData::parse_error(
                    format!("one JSON-RPC message a line; this is none: {error}"),
                    None,
                ),
            })),
        },
    }
}

/// Refuses an object that is no message. What answers something, or asks for no answer, gets none.
fn refuse(object: &JsonObject, error: &serde_json::Error) -> Option<Refused> {
    let is_answer = object.contains_key("result") || object.contains_key("error");
    let asks = object.contains_key("method");
    if (is_answer && !asks) || (asks && !object.contains_key("id")) {
        return None;
    }
    let given = object.get("id").unwrap_or(&Value::Null);
    let id = serde_json::from_value(given.clone()).ok();
    let wrong = if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        "jsonrpc is \"2.0\" in every message".to_owned()
    } else if !object.get("method").is_some_and(Value::is_string) {
        "method is missing, or no string".to_owned()
    } else if id.is_none() {
        "id is a string or a whole number".to_owned()
    } else if is_answer {
        "a request has neither result nor error".to_owned()
    } else {
        format!("this is no request: {error}")
    };
    Some(Refused::invalid(id, wrong))
}

/// Refuses a request whose method is known but whose parameters are not those of the method: it
/// would pass for one of an unknown method.
fn check(message: Message) -> Result<Message, Refused> {
    let JsonRpcMessage::Request(request) = &message else {
        return Ok(message);
    };
    let ClientRequest::CustomRequest(custom) = &request.request else {
        return Ok(message);
    };
    let given = custom.params.as_ref();
    let wrong = match custom.method.as_str() {
        "initialize" => wrong::<InitializeRequestParams>(given),
        "tools/call" => wrong::<CallToolRequestParams>(given),
        "resources/read" => wrong::<ReadResourceRequestParams>(given),
        "resources/subscribe" => wrong::<SubscribeRequestParams>(given),
        "resources/unsubscribe" => wrong::<UnsubscribeRequestParams>(given),
        "subscriptions/listen" => wrong::<SubscriptionsListenRequestParams>(given),
        "prompts/get" => wrong::<GetPromptRequestParams>(given),
        "completion/complete" => wrong::<CompleteRequestParams>(given),
        _ => None,
    };
    match wrong {
        None => Ok(message),
        Some(error) => Err(Refused {
            id: Some(request.id.clone()),
            error: ErrorData::invalid_params(
                format!("params of {} are not right: {error}", custom.method),
                None,
            ),
        }),
    }
}

fn wrong<T: DeserializeOwned>(given: Option<&Value>) -> Option<serde_json::Error> {
    let given = given.cloned().unwrap_or_else(|| JsonObject::new().into());
    serde_json::from_value::<T>(given).err()
}

impl Refused {
    /// It is no JSON-RPC message.
    fn invalid(id: Option<RequestId>, message: String) -> Self {
        Self {
            id,
            error: ErrorData::invalid_request(message, None),
        }
    }
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;

    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    }

    /// What a stream with these bytes in it gives: ids of messages, else codes and words.
    fn read(input: &[u8], longest: usize) -> Vec<String> {
        runtime().block_on(async {
            let mut lines = Lines::new(input, longest);
            let mut found = Vec::new();
            while let Some(next) = lines.next().await.unwrap() {
                found.push(shown(next));
            }
            found
        })
    }

    fn shown(found: Result<Message, Refused>) -> String {
        match found {
            Ok(JsonRpcMessage::Request(request)) => format!("request {}", request.id),
            Ok(_) => "no request".to_owned(),
            Err(Refused { id, error }) => {
                let id = id.map_or_else(|| "none".to_owned(), |id| id.to_string());
                format!("{} for {id}: {}", error.code.0, error.message)
            }
        }
    }

    fn refused(line: &str) -> String {
        let found = read(format!("{line}\n{PING}\n").as_bytes(), 1_000);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1], "request 1", "the next line is read");
        found[0].clone()
    }

    #[test]
    fn messages_come_line_by_line_however_the_lines_end() {
        let lines = format!("{PING}\n\n{PING}\r\n \r\n\u{FEFF}{PING}\n{PING}");
        assert_eq!(read(lines.as_bytes(), 1_000), ["request 1"; 4]);
        assert_eq!(read(b"", 1_000), [""; 0]);
    }

    #[test]
    fn what_is_no_json_or_no_message_is_said_to_be_none() {
        for text in ["nonsense", r#"{"jsonrpc":"#, "\"\u{7}\""] {
            let said = refused(text);
            assert!(
                said.starts_with("-32700 for none: one JSON-RPC message a line; this is none"),
                "{said}"
            );
        }
        for (text, said) in [
            ("[]", "-32600 for none: one JSON-RPC message a line"),
            (&format!("[{PING}]"), "-32600 for none: one JSON-RPC"),
            ("{}", "-32600 for none: jsonrpc is"),
            (r#"{"id":7,"method":"ping"}"#, "-32600 for 7: jsonrpc is"),
            (r#"{"jsonrpc":"2.0","id":"x"}"#, "-32600 for x: method is"),
            (
                r#"{"jsonrpc":"2.0","id":8,"method":5}"#,
                "-32600 for 8: method is",
            ),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
                "-32600 for none: id is",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
                "-32600 for none: id is",
            ),
            (
                r#"{"jsonrpc":"2.0","id":9,"method":"ping","result":{}}"#,
                "-32600 for 9: a request has",
            ),
            (
                r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"arguments":{}}}"#,
                "-32602 for 9: params of tools/call are not right: missing field `name`",
            ),
            (
                r#"{"jsonrpc":"2.0","id":9,"method":"initialize"}"#,
                "-32602 for 9: params of initialize are not right: missing field",
            ),
        ] {
            let found = refused(text);
            assert!(found.starts_with(said), "{text}: {found}");
        }
    }

    #[test]
    fn broken_answers_and_notifications_have_no_answer() {
        for line in [
            r#"{"jsonrpc":"2.0","error":5}"#,
            r#"{"jsonrpc":"2.0","id":{},"result":5}"#,
            r#"{"jsonrpc":"1.0","method":"notifications/initialized"}"#,
        ] {
            let lines = format!("{line}\n{PING}\n");
            assert_eq!(read(lines.as_bytes(), 1_000), ["request 1"], "{line}");
        }
    }

    #[test]
    fn an_over_long_line_is_refused_once_and_passed_over() {
        let longest = PING.len();
        let lines = format!("{PING}\n{}\n{PING}\n", "x".repeat(90_000));
        let found = read(lines.as_bytes(), longest);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "request 1", "a line may be as long as the limit");
        let said = format!("-32600 for none: a line holds at most {longest} bytes");
        assert!(found[1].starts_with(&said), "{found:?}");
        assert_eq!(found[2], "request 1");
    }

    #[test]
    fn giving_up_in_the_middle_of_a_line_loses_nothing() {
        runtime().block_on(async {
            let (mut host, ours) = tokio::io::duplex(64);
            let mut lines = Lines::new(ours, 1_000);
            for part in PING.as_bytes().chunks(7) {
                host.write_all(part).await.unwrap();
                let given_up = tokio::time::timeout(Duration::ZERO, lines.next()).await;
                assert!(given_up.is_err());
            }
            host.write_all(b"\n").await.unwrap();
            let next = lines.next().await.unwrap().unwrap();
            assert_eq!(shown(next), "request 1");
        });
    }
}
