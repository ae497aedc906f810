//! The wire, frozen: `tests/golden/` has one file for each request, with its reply.
//!
//! A file that changes is a change of the protocol. These must load for as long as version 1 is
//! spoken.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::{Method, Request};
use ipc_protocol::rpc::{self, Call, CallId, Reply};
use serde_json::{Value, json};

/// The file that shows a refusal, not a request.
const ERROR: &str = "error";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The golden file called `name`.
pub(crate) fn file(name: &str) -> Value {
    let path = directory().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// A request and its reply, read from a golden file and written again.
pub(crate) struct Again {
    /// The call, written again.
    call: Value,
    /// The reply, written again.
    reply: Value,
    /// What `{:?}` shows of both.
    pub(crate) shown: String,
}

/// Reads a golden file as the daemon reads the call and as a client reads the reply.
pub(crate) fn read(golden: &Value) -> Again {
    let call = Call::decode(&bytes(&golden["call"])).unwrap();
    let reply = Reply::decode(&bytes(&golden["reply"])).unwrap();
    assert_eq!(reply.id, Some(call.id));
    assert_eq!(golden["call"]["method"], call.request.name());
    let (id, result) = (call.id, reply.outcome.unwrap());
    match &call.request {
        Request::Hello(r) => again(id, r, result),
        Request::Authenticate(r) => again(id, r, result),
        Request::Register(r) => again(id, r, result),
        Request::Unregister(r) => again(id, r, result),
        Request::Offline(r) => again(id, r, result),
        Request::Renew(r) => again(id, r, result),
        Request::Revoke(r) => again(id, r, result),
        Request::Send(r) => again(id, r, result),
        Request::Reply(r) => again(id, r, result),
        Request::Forward(r) => again(id, r, result),
        Request::Fetch(r) => again(id, r, result),
        Request::Ack(r) => again(id, r, result),
        Request::Nack(r) => again(id, r, result),
        Request::Notice(r) => again(id, r, result),
        Request::AutoCheck(r) => again(id, r, result),
        Request::Notices(r) => again(id, r, result),
        Request::Conversation(r) => again(id, r, result),
        Request::Read(r) => again(id, r, result),
        Request::History(r) => again(id, r, result),
        Request::Receipts(r) => again(id, r, result),
        Request::DeadLetters(r) => again(id, r, result),
        Request::List(r) => again(id, r, result),
        Request::Describe(r) => again(id, r, result),
        Request::Boundaries(r) => again(id, r, result),
        Request::Whoami(r) => again(id, r, result),
        Request::Rename(r) => again(id, r, result),
        Request::Status(r) => again(id, r, result),
        Request::AdminBackup(r) => again(id, r, result),
        Request::AdminRelease(r) => again(id, r, result),
        Request::AdminRevoke(r) => again(id, r, result),
        Request::AdminRotateSecret(r) => again(id, r, result),
        Request::AdminFreeze(r) => again(id, r, result),
        Request::AdminThaw(r) => again(id, r, result),
        Request::AdminReaders(r) => again(id, r, result),
    }
}

fn again<M: Method<Reply: Debug> + Debug>(id: CallId, request: &M, result: Value) -> Again {
    let reply: M::Reply = serde_json::from_value(result).unwrap();
    let shown = format!("{request:?} {request:#?} {reply:?} {reply:#?}");
    let call = rpc::encode_call(id, request).unwrap();
    let reply = rpc::encode_reply(Some(id), &Ok(reply)).unwrap();
    Again {
        call: serde_json::from_slice(&call).unwrap(),
        reply: serde_json::from_slice(&reply).unwrap(),
        shown,
    }
}

fn code_of(payload: &[u8]) -> ErrorCode {
    Call::decode(payload).unwrap_err().refusal.code
}

#[test]
fn every_request_and_its_reply_are_what_the_golden_files_say() {
    for name in Request::NAMES {
        let golden = file(name);
        assert_eq!(golden["call"]["method"], *name);
        let again = read(&golden);
        assert_eq!(again.call, golden["call"], "{name}");
        assert_eq!(again.reply, golden["reply"], "{name}");
    }
}

#[test]
fn no_request_is_without_a_golden_file_and_no_file_without_a_request() {
    let entries = std::fs::read_dir(directory()).unwrap();
    let files: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let names = Request::NAMES.iter().chain([&ERROR]);
    let expected: BTreeSet<String> = names.map(|name| format!("{name}.json")).collect();
    assert_eq!(files, expected);
}

#[test]
fn every_field_of_a_request_is_shown_in_its_golden_file() {
    // Without this, an optional field that no file shows could change unnoticed.
    for name in Request::NAMES {
        let golden = file(name);
        let params = golden["call"]["params"].as_object().unwrap();
        let shown = format!("{:?}", Call::decode(&bytes(&golden["call"])).unwrap());
        assert!(
            !shown.contains(": None"),
            "{name} leaves a field out: {shown}"
        );
        assert!(params.values().all(|value| !value.is_null()), "{name}");
    }
}

#[test]
fn unknown_fields_are_refused_in_every_request() {
    for name in Request::NAMES {
        let mut call = file(name)["call"].take();
        call["params"]["from"] = json!("eve");
        let bad = Call::decode(&bytes(&call)).unwrap_err();
        assert_eq!(bad.refusal.code, ErrorCode::Malformed, "{name}");
        assert_eq!(
            bad.id,
            call["id"].as_u64(),
            "{name}: the refusal answers the call"
        );
    }
}

#[test]
fn unknown_members_of_the_envelope_are_refused_in_every_request() {
    for name in Request::NAMES {
        let mut call = file(name)["call"].take();
        call["token"] = json!("x");
        assert_eq!(code_of(&bytes(&call)), ErrorCode::Malformed, "{name}");
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_in_every_request() {
    for name in Request::NAMES {
        let call = file(name)["call"].take();
        let text = call.to_string();
        let id = format!("\"id\":{},", call["id"]);
        let twice = text.replacen(&id, &format!("{id}{id}"), 1);
        let params = text.replacen("\"params\":{", "\"params\":{\"x\":1,\"x\":1,", 1);
        for wrong in [twice, params.replace(",}", "}")] {
            assert_ne!(wrong, text, "{name}");
            let bad = Call::decode(wrong.as_bytes()).unwrap_err();
            assert_eq!(bad.refusal.code, ErrorCode::Malformed, "{name}");
            assert_eq!(bad.id, None, "{name}: nothing of such a frame is believed");
        }
    }
}

#[test]
fn a_misspelled_method_is_refused_and_not_repeated() {
    for name in Request::NAMES {
        for wrong in [
            format!("{name}\u{1b}"),
            name.to_uppercase(),
            format!(" {name}"),
        ] {
            let mut call = file(name)["call"].take();
            call["method"] = json!(wrong);
            let bad = Call::decode(&bytes(&call)).unwrap_err();
            assert_eq!(bad.refusal.code, ErrorCode::UnsupportedVersion, "{wrong:?}");
            assert!(
                !bad.refusal.message.contains(&wrong),
                "{wrong:?} is repeated"
            );
        }
    }
}

#[test]
fn a_required_field_that_is_missing_is_refused() {
    for name in Request::NAMES {
        let golden = file(name);
        for field in golden["call"]["params"].as_object().unwrap().keys() {
            let mut call = golden["call"].clone();
            call["params"].as_object_mut().unwrap().remove(field);
            if let Err(bad) = Call::decode(&bytes(&call)) {
                assert_eq!(
                    bad.refusal.code,
                    ErrorCode::Malformed,
                    "{name} without {field}"
                );
            }
        }
    }
}

#[test]
fn unknown_fields_of_a_reply_are_passed_over() {
    for name in Request::NAMES {
        let mut golden = file(name);
        golden["reply"]["result"]["from_the_future"] = json!({ "a": [1] });
        golden["reply"]["served_by"] = json!("a newer daemon");
        let again = read(&golden);
        assert_eq!(again.call, golden["call"], "{name}");
    }
}

#[test]
fn a_refusal_is_what_the_golden_file_says() {
    let golden = file(ERROR);
    let call = Call::decode(&bytes(&golden["call"])).unwrap();
    for (key, id) in [("reply", Some(call.id)), ("reply_without_an_id", None)] {
        let reply = Reply::decode(&bytes(&golden[key])).unwrap();
        assert_eq!(reply.id, id);
        let again = rpc::encode_reply::<()>(id, &Err(reply.outcome.unwrap_err())).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&again).unwrap(),
            golden[key]
        );
    }
}

#[test]
fn every_error_code_has_the_number_of_the_golden_file() {
    let golden = file(ERROR);
    let codes = golden["codes"].as_object().unwrap();
    assert_eq!(codes.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        assert_eq!(codes[code.as_str()], code.number(), "{code:?}");
        let payload = rpc::encode_reply::<()>(Some(1), &Err(Refusal::new(*code, "no"))).unwrap();
        let reply = Reply::decode(&payload).unwrap();
        assert_eq!(reply.outcome.unwrap_err().code, *code);
    }
}
