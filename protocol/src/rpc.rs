//! The envelope: JSON-RPC 2.0 calls, results and errors.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{ErrorCode, Refusal};
use crate::json;
use crate::limits::{JSON_DEPTH, REPLY_DEPTH};
use crate::request::{Method, Request};

/// What a reply answers: a whole number that the client chose.
pub type CallId = u64;

/// A request and the id its reply will carry.
#[derive(Debug)]
pub struct Call {
    /// The id.
    pub id: CallId,
    /// The request.
    pub request: Request,
}

/// A frame that is no call; the id is there if at least that could be read.
#[derive(Debug)]
pub struct BadCall {
    /// What the refusal answers.
    pub id: Option<CallId>,
    /// What to say.
    pub refusal: Refusal,
}

impl Call {
    /// Opens the payload of one frame.
    ///
    /// # Errors
    /// [`BadCall`] with the typed refusal to send back.
    pub fn decode(payload: &[u8]) -> Result<Self, BadCall> {
        let bad = |id, refusal| BadCall { id, refusal };
        let malformed = |text: String| Refusal::new(ErrorCode::Malformed, text);
        let mut object = json::parse_object(payload, JSON_DEPTH)
            .map_err(|e| bad(None, malformed(e.to_string())))?;
        let id = object.remove("id").as_ref().and_then(Value::as_u64);
        let Some(call_id) = id else {
            return Err(bad(
                None,
                malformed("`id` must be a whole number".to_owned()),
            ));
        };
        let version = object.remove("jsonrpc");
        let method = object.remove("method");
        let params = object
            .remove("params")
            .unwrap_or_else(|| Value::Object(Map::new()));
        if version.as_ref().and_then(Value::as_str) != Some("2.0") || !object.is_empty() {
            let text = "a call is `jsonrpc`: \"2.0\", `id`, `method`, `params`, no more";
            return Err(bad(id, malformed(text.to_owned())));
        }
        let (Some(Value::String(method)), Value::Object(params)) = (method, params) else {
            let text = "`method` must be a string and `params` an object";
            return Err(bad(id, malformed(text.to_owned())));
        };
        let request = Request::decode(&method, params).map_err(|refusal| bad(id, refusal))?;
        Ok(Self {
            id: call_id,
            request,
        })
    }
}

/// Writes a call of `request` as the payload of one frame.
///
/// # Errors
/// Those of `serde_json`, for a value that is no JSON.
pub fn encode_call<M: Method>(id: CallId, request: &M) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Envelope<'a, P> {
        jsonrpc: &'static str,
        id: CallId,
        method: &'static str,
        params: &'a P,
    }
    serde_json::to_vec(&Envelope {
        jsonrpc: "2.0",
        id,
        method: M::NAME,
        params: request,
    })
}

/// What a reply says, whichever request it answers.
pub type Outcome = Result<Value, Refusal>;

/// Writes the reply to call `id` as the payload of one frame.
///
/// # Errors
/// Those of `serde_json`, for a value that is no JSON.
pub fn encode_reply<R: Serialize>(
    id: Option<CallId>,
    outcome: &Result<R, Refusal>,
) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Envelope<'a, R> {
        jsonrpc: &'static str,
        id: Option<CallId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a R>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<WireError<'a>>,
    }
    let result = outcome.as_ref().ok();
    let error = outcome.as_ref().err().map(WireError::from);
    serde_json::to_vec(&Envelope {
        jsonrpc: "2.0",
        id,
        result,
        error,
    })
}

#[derive(Serialize)]
struct WireError<'a> {
    code: i32,
    message: &'a str,
    data: WireErrorData<'a>,
}

#[derive(Serialize)]
struct WireErrorData<'a> {
    code: ErrorCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl<'a> From<&'a Refusal> for WireError<'a> {
    fn from(refusal: &'a Refusal) -> Self {
        Self {
            code: refusal.code.number(),
            message: &refusal.message,
            data: WireErrorData {
                code: refusal.code,
                hint: refusal.hint.as_deref(),
                retry_after_ms: refusal.retry_after_ms,
            },
        }
    }
}

/// A reply as a client reads it. Not printable: some replies carry credentials.
#[expect(
    missing_debug_implementations,
    reason = "some replies carry credentials"
)]
pub struct Reply {
    /// The call it answers; nothing when the daemon could not read the call's id.
    pub id: Option<CallId>,
    /// The result, or why not.
    pub outcome: Outcome,
}

impl Reply {
    /// Opens the payload of one frame. Fields that this version does not know are passed over, so
    /// that a newer daemon serves an older client. `None` if it is no reply at all.
    pub fn decode(payload: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            id: Option<CallId>,
            result: Option<Value>,
            error: Option<ErrorBody>,
        }
        #[derive(Deserialize)]
        struct ErrorBody {
            message: String,
            data: ErrorData,
        }
        #[derive(Deserialize)]
        struct ErrorData {
            code: ErrorCode,
            hint: Option<String>,
            retry_after_ms: Option<u64>,
        }
        let object = json::parse_object(payload, REPLY_DEPTH).ok()?;
        let envelope = Envelope::deserialize(Value::Object(object)).ok()?;
        let outcome = match (envelope.result, envelope.error) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(Refusal {
                code: error.data.code,
                message: error.message.into(),
                hint: error.data.hint.map(Into::into),
                retry_after_ms: error.data.retry_after_ms,
            }),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        Some(Self {
            id: envelope.id,
            outcome,
        })
    }
}
