//! The predecessor's words: what its clients send, and what they expect to read.

use std::borrow::Cow;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::message::Data;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Register,
    Send,
    Broadcast,
    Check,
    List,
    Rename,
}

impl Action {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "register" => Self::Register,
            "send" => Self::Send,
            "broadcast" => Self::Broadcast,
            "check" => Self::Check,
            "list" => Self::List,
            "rename" => Self::Rename,
            _ => return None,
        })
    }

    /// The field in which clients say who they are. The token says it; the field may agree.
    pub(super) const fn subject(self) -> Option<&'static str> {
        match self {
            Self::Send | Self::Broadcast => Some("from_id"),
            Self::Check => Some("instance_id"),
            Self::Rename => Some("old_id"),
            Self::Register | Self::List => None,
        }
    }
}

/// What a client is told that it will not get: the predecessor's sentence where it had one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) Cow<'static, str>);

impl Refused {
    pub(super) const AUTH_TOKEN: Self = Self(Cow::Borrowed("Invalid auth token"));
    pub(super) const SESSION: Self = Self(Cow::Borrowed("Invalid or missing session token"));
    pub(super) const SUBJECT: Self = Self(Cow::Borrowed(
        "This session token belongs to another instance",
    ));
    pub(super) const RATE: Self = Self(Cow::Borrowed(
        "Rate limit exceeded. Please wait before sending more requests.",
    ));
    pub(super) const ACTION: Self = Self(Cow::Borrowed("Unknown action"));
    pub(super) const NAME: Self = Self(Cow::Borrowed(
        "Invalid instance ID format. Use 1-32 alphanumeric characters, hyphens, or underscores.",
    ));
    pub(super) const RESERVED: Self = Self(Cow::Borrowed("This instance ID is reserved"));
    pub(super) const RECIPIENT: Self = Self(Cow::Borrowed("Invalid recipient ID format"));
    pub(super) const NEW_NAME: Self = Self(Cow::Borrowed("Invalid new instance ID format"));
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            ErrorCode::RateLimited => Self::RATE,
            ErrorCode::Unauthenticated | ErrorCode::Expired | ErrorCode::TakenOver => Self::SESSION,
            ErrorCode::Forbidden
            | ErrorCode::InvalidName
            | ErrorCode::NameInUse
            | ErrorCode::NameReserved
            | ErrorCode::UnknownRecipient
            | ErrorCode::NotFound
            | ErrorCode::TooLarge
            | ErrorCode::Malformed
            | ErrorCode::UnsupportedVersion
            | ErrorCode::MailboxFull
            | ErrorCode::LoopDetected
            | ErrorCode::Conflict
            | ErrorCode::Blocked
            | ErrorCode::Frozen
            | ErrorCode::SecretChanged
            | ErrorCode::Busy
            | ErrorCode::Unavailable
            | ErrorCode::Internal
            | ErrorCode::Unknown => Self(match refusal.hint {
                Some(hint) => format!("{} ({hint})", refusal.message).into(),
                None => refusal.message,
            }),
        }
    }
}

/// The fields of a request.
#[derive(Debug)]
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    /// The text in `field`.
    pub(super) fn text(&self, field: &'static str) -> Result<&str, Refused> {
        let text = self.0.get(field).and_then(Value::as_str);
        text.ok_or_else(|| wrong(field))
    }

    /// The text in `field`; nothing where there is no such field.
    pub(super) fn text_if_any(&self, field: &'static str) -> Result<Option<&str>, Refused> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| wrong(field)),
        }
    }

    /// The message to be sent: its text, and its data unless that is empty, which the
    /// predecessor's clients send for none.
    pub(super) fn message(mut self) -> Result<(String, Option<Data>), Refused> {
        let Some(Value::Object(mut message)) = self.0.remove("message") else {
            return Err(wrong("message"));
        };
        let Some(Value::String(content)) = message.remove("content") else {
            return Err(wrong("message.content"));
        };
        let data = match message.remove("data") {
            None | Some(Value::Null) => None,
            Some(Value::Object(data)) => Some(data).filter(|data| !data.is_empty()),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                return Err(wrong("message.data"));
            }
        };
        Ok((content, data.map(|data| data.into_iter().collect())))
    }
}

fn wrong(field: &'static str) -> Refused {
    Refused(format!("Missing or wrong field: {field}").into())
}

/// One message of a `check`.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) timestamp: String,
    pub(super) message: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) large_file_path: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Content {
    pub(super) content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Data>,
}

/// One row of a `list`.
#[derive(Debug, Serialize)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) last_seen: String,
}

/// What a client gets. Not printable: one of them carries a token.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Given {
    Registered {
        #[serde(serialize_with = "exposed")]
        session_token: Zeroizing<String>,
        message: String,
    },
    Done {
        message: String,
    },
    Messages {
        messages: Vec<Entry>,
    },
    Instances {
        instances: Vec<Instance>,
    },
}

fn exposed<S: Serializer>(token: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(token)
}

impl Given {
    pub(super) fn done(message: impl Into<String>) -> Self {
        Self::Done {
            message: message.into(),
        }
    }
}

/// The reply as it is written.
pub(super) fn encode(outcome: &Result<Given, Refused>) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Reply<'a> {
        status: &'static str,
        #[serde(flatten)]
        given: &'a Given,
    }
    #[derive(Serialize)]
    struct Failure<'a> {
        status: &'static str,
        message: &'a str,
    }
    let written = match outcome {
        Ok(given) => serde_json::to_vec(&Reply {
            status: "ok",
            given,
        }),
        Err(Refused(message)) => serde_json::to_vec(&Failure {
            status: "error",
            message,
        }),
    };
    Zeroizing::new(written.unwrap_or_default())
}
