//! Requests: one file each, the request beside its reply.
//!
//! The table at the end is the whole protocol; a line there is what makes a request exist. No
//! request says who sends it: the connection does.

mod ack;
mod admin;
mod authenticate;
mod auto_check;
mod boundaries;
mod conversation;
mod dead_letters;
mod describe;
mod fetch;
mod forward;
mod history;
mod leave;
mod list;
mod notice;
mod notices;
mod read;
mod receipts;
mod register;
mod rename;
mod reply;
mod send;
mod session;
mod status;
mod texts;
mod whoami;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use ack::{Ack, Acked, Nack, Nacked};
pub use admin::{
    AdminBackup, AdminFreeze, AdminReaders, AdminRelease, AdminRevoke, AdminRotateSecret,
    AdminThaw, BackedUp, FrozenReport, FrozenRow, MessageReaders, NewVerifier, Reader, ReadersPage,
    Released, Revoked, Rotated,
};
pub use authenticate::{Authenticate, Challenge, ChallengeSalt, Hello, PeerFacts, Signed};
pub use auto_check::{AutoCheck, AutoCheckAction, AutoCheckMode, AutoCheckReport};
pub use boundaries::{Boundaries, BoundariesReport, BoundaryRow, BoundaryRule, HeldRow};
pub use conversation::{Conversation, ConversationReport, ConversationRow};
pub use dead_letters::{DeadLetter, DeadLetters, DeadLettersPage};
pub use describe::{Describe, Described};
pub use fetch::{Fetch, Fetched};
pub use forward::Forward;
pub use history::{Direction, History, HistoryEntry, HistoryPage};
pub use leave::{GoOffline, Left, Offline, Unregister};
pub use list::{AgentRow, Agents, List, Presence, Scope};
pub use notice::{Notice, NoticeReport, ReadsWith};
pub use notices::{Notices, NoticesAction, NoticesReport};
pub use read::{Read, ReadPage};
pub use receipts::{DeliveryReceipt, Receipt, Receipts, ReceiptsPage};
pub use register::{HostProcess, Register, Registered, WhenLive};
pub use rename::{Rename, Renamed};
pub use reply::Reply;
pub use send::{RecipientOutcome, Send, Sent, SentTo};
pub use session::{Renew, Renewed, Revoke, SessionRevoked};
pub use status::{
    Counters, Enrolment, Freezes, OldPortReport, OldPortTrouble, Sandbox, Status, StatusReport,
};
pub use texts::{Look, Text, Texts};
pub use whoami::{Freeze, Frozen, Whoami, WhoamiReport};

use crate::error::{ErrorCode, Refusal};
use crate::message::InvalidText;
use crate::name::{InvalidName, Name, Peer, Recipient};
use crate::search::{InvalidSearch, SearchQuery};

/// A request: its name on the wire and what a good reply to it is.
pub trait Method: Serialize + DeserializeOwned {
    /// The name on the wire.
    const NAME: &'static str;
    /// What the daemon answers when it does it.
    type Reply: Serialize + DeserializeOwned;
}

macro_rules! requests {
    ($($name:literal => $variant:ident -> $reply:ty;)*) => {
        /// Any request.
        #[derive(Debug)]
        pub enum Request {
            $(#[doc = concat!("`", $name, "`")] $variant($variant),)*
        }

        $(impl Method for $variant {
            const NAME: &'static str = $name;
            type Reply = $reply;
        }

        impl TryFrom<Request> for $variant {
            type Error = Request;

            fn try_from(request: Request) -> Result<Self, Request> {
                if let Request::$variant(request) = request { Ok(request) } else { Err(request) }
            }
        })*

        impl Request {
            /// The name of every request.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            /// The name of this request on the wire.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Parses the fields of the request called `method`.
            ///
            /// # Errors
            /// A typed [`Refusal`]; what the peer sent is not repeated in it.
            pub fn decode(method: &str, params: Map<String, Value>) -> Result<Self, Refusal> {
                match method {
                    $($name => decode::<$variant>(params).map(Self::$variant),)*
                    _ => Err(Refusal::new(
                        ErrorCode::UnsupportedVersion,
                        "this daemon has no such request",
                    )
                    .hint("compare `ipc --version` with `ipc status`; restart the older of the two")),
                }
            }
        }

        #[cfg(any(fuzzing, test))]
        impl Request {
            /// The request as the payload of the call `id`; nothing where it cannot be written.
            pub(crate) fn written(&self, id: crate::rpc::CallId) -> Vec<u8> {
                match self {
                    $(Self::$variant(request) => crate::rpc::encode_call(id, request),)*
                }
                .unwrap_or_default()
            }

            /// Reads a reply to the request called `method`.
            pub(crate) fn read_reply(method: &str, reply: Value) {
                match method {
                    $($name => drop(serde_json::from_value::<$reply>(reply)),)*
                    _ => {}
                }
            }
        }
    };
}

requests! {
    "hello" => Hello -> Challenge;
    "authenticate" => Authenticate -> Signed;
    "register" => Register -> Registered;
    "unregister" => Unregister -> Left;
    "offline" => Offline -> GoOffline;
    "renew" => Renew -> Renewed;
    "revoke" => Revoke -> SessionRevoked;
    "send" => Send -> Sent;
    "reply" => Reply -> Sent;
    "forward" => Forward -> Sent;
    "fetch" => Fetch -> Fetched;
    "ack" => Ack -> Acked;
    "nack" => Nack -> Nacked;
    "notice" => Notice -> NoticeReport;
    "auto_check" => AutoCheck -> AutoCheckReport;
    "notices" => Notices -> NoticesReport;
    "conversation" => Conversation -> ConversationReport;
    "read" => Read -> ReadPage;
    "history" => History -> HistoryPage;
    "receipts" => Receipts -> ReceiptsPage;
    "dead_letters" => DeadLetters -> DeadLettersPage;
    "list" => List -> Agents;
    "describe" => Describe -> Described;
    "boundaries" => Boundaries -> BoundariesReport;
    "whoami" => Whoami -> WhoamiReport;
    "rename" => Rename -> Renamed;
    "status" => Status -> StatusReport;
    "admin_backup" => AdminBackup -> BackedUp;
    "admin_release" => AdminRelease -> Released;
    "admin_revoke" => AdminRevoke -> Revoked;
    "admin_rotate_secret" => AdminRotateSecret -> Rotated;
    "admin_freeze" => AdminFreeze -> FrozenReport;
    "admin_thaw" => AdminThaw -> FrozenReport;
    "admin_readers" => AdminReaders -> ReadersPage;
}

/// What it takes to answer a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Little.
    Little,
    /// Its text is to be stored.
    Storing,
    /// Its reply may be large.
    Bulk,
    /// It may be answered only after a while.
    Waiting,
}

impl Request {
    /// What it takes to answer it.
    pub const fn demand(&self) -> Demand {
        match self {
            Self::Fetch(fetch) if fetch.wait_ms > 0 && !fetch.peek => Demand::Waiting,
            Self::Notice(notice) if notice.wait_ms > 0 => Demand::Waiting,
            Self::Fetch(_)
            | Self::Read(_)
            | Self::History(_)
            | Self::Receipts(_)
            | Self::DeadLetters(_)
            | Self::Conversation(Conversation::List { .. })
            | Self::Boundaries(_)
            | Self::List(_)
            | Self::AdminReaders(_) => Demand::Bulk,
            Self::Send(_) | Self::Reply(_) | Self::Forward(_) => Demand::Storing,
            Self::Hello(_)
            | Self::Authenticate(_)
            | Self::Register(_)
            | Self::Unregister(_)
            | Self::Offline(_)
            | Self::Renew(_)
            | Self::Revoke(_)
            | Self::Ack(_)
            | Self::Nack(_)
            | Self::Notice(_)
            | Self::AutoCheck(_)
            | Self::Notices(_)
            | Self::Conversation(_)
            | Self::Describe(_)
            | Self::Whoami(_)
            | Self::Rename(_)
            | Self::Status(_)
            | Self::AdminBackup(_)
            | Self::AdminRelease(_)
            | Self::AdminRevoke(_)
            | Self::AdminRotateSecret(_)
            | Self::AdminFreeze(_)
            | Self::AdminThaw(_) => Demand::Little,
        }
    }
}

fn decode<M: Method>(params: Map<String, Value>) -> Result<M, Refusal> {
    let refused = refused_field(&params);
    serde_json::from_value(Value::Object(params)).map_err(|_| {
        refused.unwrap_or_else(|| {
            Refusal::new(
                ErrorCode::Malformed,
                format!("the fields of `{}` are not as documented", M::NAME),
            )
            .hint("docs/PROTOCOL.md lists the fields of every request")
        })
    })
}

/// The field whose text is at fault, where it has a code of its own; cheap unless one is wrong.
fn refused_field(params: &Map<String, Value>) -> Option<Refusal> {
    let text = |field: &str| params.get(field).and_then(Value::as_str);
    let name = |field| text(field).and_then(|t| Name::parse(t).err());
    let recipient = |field| text(field).and_then(|t| t.parse::<Recipient>().err());
    name("name")
        .or_else(|| name("new_name"))
        .or_else(|| text("sent_by").and_then(|t| t.parse::<Peer>().err()))
        .or_else(|| recipient("to"))
        .or_else(|| recipient("agent"))
        .or_else(|| text("with").and_then(|t| t.parse::<Peer>().err()))
        .map(Refusal::from)
        .or_else(|| {
            let wrong = text("search").and_then(|t| t.parse::<SearchQuery>().err());
            wrong.map(Refusal::from)
        })
}

impl From<InvalidName> for Refusal {
    fn from(error: InvalidName) -> Self {
        match error {
            InvalidName::Shape => Self::new(ErrorCode::InvalidName, error.to_string())
                .hint("for example: alice, build-bot_2"),
            InvalidName::Reserved => Self::new(ErrorCode::NameReserved, error.to_string())
                .hint("choose another; `system`, `all`, `admin` and the like belong to nobody"),
        }
    }
}

impl From<InvalidSearch> for Refusal {
    fn from(error: InvalidSearch) -> Self {
        Self::new(ErrorCode::Malformed, error.to_string()).hint(error.hint())
    }
}

impl From<InvalidText> for Refusal {
    fn from(error: InvalidText) -> Self {
        Self::new(ErrorCode::Malformed, error.to_string())
    }
}
