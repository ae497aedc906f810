//! Why a call came to nothing, for a model: one sentence, and what to do next.

use std::fmt;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::safe;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::json;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The daemon's code, where the daemon said no.
    pub code: Option<ErrorCode>,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// When waiting helps: how long, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Whether the connection was lost, so that asking again on another one may help.
    pub is_lost: bool,
}

impl Failure {
    /// Something on this side.
    pub fn local(message: impl Into<String>) -> Self {
        Self {
            code: None,
            message: message.into(),
            hint: None,
            retry_after_ms: None,
            is_lost: false,
        }
    }

    /// The arguments of a call are not right.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self {
            code: Some(ErrorCode::Malformed),
            ..Self::local(message)
        }
    }

    /// The call was cancelled by the host; nobody reads this.
    pub(crate) fn cancelled() -> Self {
        Self::local("the call was cancelled")
    }

    /// The same with this hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the daemon knows the credential no more, so that another one may help.
    pub(crate) fn is_stale_credential(&self) -> bool {
        matches!(
            self.code,
            Some(ErrorCode::Unauthenticated | ErrorCode::Expired)
        )
    }

    /// Whether the daemon said that it stops. Of what makes it unavailable, only that has a time to
    /// come back.
    pub(crate) fn says_stop(&self) -> bool {
        self.code == Some(ErrorCode::Unavailable) && self.retry_after_ms.is_some()
    }

    /// Whether another connection may do what this one did not: it was lost, or the daemon leaves.
    pub(crate) fn may_retry(&self) -> bool {
        self.is_lost || self.says_stop()
    }

    /// Whether no daemon serves us at present: none can be reached, or it has too much to do.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(
            self.code,
            None | Some(ErrorCode::Unavailable | ErrorCode::Busy | ErrorCode::RateLimited)
        )
    }

    /// As the result of a tool call: an error that the model reads.
    pub(crate) fn into_result(self) -> CallToolResult {
        let mut result = CallToolResult::error(vec![ContentBlock::text(self.to_string())]);
        result.structured_content = Some(json!({"error": {
            "code": self.code.map(ErrorCode::as_str),
            "message": safe::line(&self.message),
            "hint": self.hint.as_deref().map(safe::line),
            "retry_after_ms": self.retry_after_ms,
        }}));
        result
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", safe::line(&self.message))?;
        if let Some(code) = self.code {
            write!(f, " ({})", code.as_str())?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", safe::line(hint))?;
        }
        if let Some(ms) = self.retry_after_ms {
            write!(f, "\ntry again in {} s", ms.div_ceil(1_000))?;
        }
        Ok(())
    }
}
