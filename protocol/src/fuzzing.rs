//! What the fuzz targets of this crate call: one function for each parser of foreign bytes, which says
//! what must hold whatever the bytes are.
//!
//! Compiled for fuzzing and for tests alone. The tests replay the seeds of `fuzz/seeds`, so that an
//! entry point cannot rot and what was once found stays found.

mod handshake;
mod words;

use serde_json::Value;

use crate::client::Wire;
use crate::frame::{self, Decoder, PREFIX_BYTES};
use crate::json;
pub use crate::leak::fuzzing::leak;
use crate::limits::JSON_DEPTH;
use crate::request::{List, Request};
use crate::rpc::{Call, Reply};
pub use handshake::handshake;
pub use words::{names, renderer, search, token};

/// Bytes in which frames are read here: small, so that lengths around it are common.
const CAP: u32 = 64;

/// The decoder of frames: however the stream is cut, the same payloads come out, none over the cap.
pub fn frames(bytes: &[u8]) {
    let Some((step, stream)) = bytes.split_first() else {
        return;
    };
    let whole = cut(stream.chunks(stream.len().max(1)));
    let pieces = cut(stream.chunks(usize::from(*step).max(1)));
    assert_eq!(whole, pieces, "the cuts of the stream change what is in it");
    let (payloads, is_refused) = whole;
    let mut written = Vec::new();
    for payload in &payloads {
        let frame = frame::encode(payload, CAP);
        assert!(frame.is_some(), "a payload outside the cap came out");
        written.extend(frame.unwrap_or_default());
    }
    assert!(stream.starts_with(&written), "other bytes than came in");
    let left = stream.len().saturating_sub(written.len());
    let least = PREFIX_BYTES.saturating_add(usize::try_from(CAP).unwrap_or(0));
    assert!(is_refused || left < least, "a whole frame was left");
}

/// The payloads of a stream that comes in `pieces`, and whether it ends in a length that is refused.
fn cut<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let mut decoder = Decoder::new(CAP);
    let mut payloads = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            let missing = decoder.missing();
            match decoder.next_payload() {
                Ok(Some(payload)) => {
                    assert_eq!(missing, Ok(0));
                    payloads.push(payload);
                }
                Ok(None) => {
                    assert!(missing.is_ok_and(|bytes| bytes > 0));
                    break;
                }
                Err(wrong) => {
                    assert_eq!(missing, Err(wrong));
                    return (payloads, true);
                }
            }
        }
    }
    (payloads, false)
}

/// Calls: strict JSON is JSON with one meaning, and a request that was read is written as it was read.
pub fn request(bytes: &[u8]) {
    if let Ok(object) = json::parse_object(bytes, JSON_DEPTH) {
        let lenient: Option<Value> = serde_json::from_slice(bytes).ok();
        let strict = Value::Object(object);
        assert_eq!(
            Some(&strict),
            lenient.as_ref(),
            "two readers see two things"
        );
    }
    let Ok(call) = Call::decode(bytes) else {
        return;
    };
    assert!(Request::NAMES.contains(&call.request.name()));
    drop((call.request.demand(), format!("{call:?}")));
    let written = call.request.written(call.id);
    let again = Call::decode(&written).ok();
    let again = again.map(|again| (again.id, again.request.written(call.id)));
    assert_eq!(
        again,
        Some((call.id, written)),
        "a request that was read is not one"
    );
}

/// Replies, as a client reads those of a daemon that may be false.
pub fn reply(bytes: &[u8]) {
    let Some((choice, payload)) = bytes.split_first() else {
        return;
    };
    if let Some(Reply {
        outcome: Ok(value), ..
    }) = Reply::decode(payload)
    {
        let method = Request::NAMES.iter().cycle().nth(usize::from(*choice));
        Request::read_reply(method.copied().unwrap_or_default(), value);
    }
    // The same as a stream: a call waits for its reply, and anything else is refused.
    let mut wire = Wire::new();
    let Ok((id, _)) = wire.call(&List::default()) else {
        return;
    };
    let (first, second) = payload.split_at(payload.len() / 2);
    let pushed = wire.push(first).and_then(|()| wire.push(second));
    if pushed.is_ok() {
        drop(wire.reply::<List>(id));
        assert!(
            matches!(wire.reply::<List>(id), Ok(None) | Err(_)),
            "one reply was had twice"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Gives `target` what is kept for it in `fuzz/seeds`, every beginning of it, and each with a byte turned.
    fn replay(name: &str, target: fn(&[u8])) {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
        let seeds: Vec<_> = fs::read_dir(seeds.join(name)).unwrap().collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for entry in seeds {
            let seed = fs::read(entry.unwrap().path()).unwrap();
            for end in 0..=seed.len() {
                target(&seed[..end]);
                let mut turned = seed.clone();
                if let Some(byte) = turned.get_mut(end) {
                    *byte ^= 0x20;
                }
                target(&turned);
            }
        }
    }

    #[test]
    fn frames_hold_for_their_seeds() {
        replay("frames", frames);
    }

    #[test]
    fn requests_hold_for_their_seeds() {
        replay("request", request);
    }

    #[test]
    fn replies_hold_for_their_seeds() {
        replay("reply", reply);
    }

    #[test]
    fn the_handshake_holds_for_its_seeds() {
        replay("handshake", handshake);
    }

    #[test]
    fn names_hold_for_their_seeds() {
        replay("names", names);
    }

    #[test]
    fn tokens_hold_for_their_seeds() {
        replay("token", token);
    }

    #[test]
    fn the_renderer_holds_for_its_seeds() {
        replay("renderer", renderer);
    }

    #[test]
    fn searches_hold_for_their_seeds() {
        replay("search", search);
    }

    #[test]
    fn credentials_hold_for_their_seeds() {
        replay("leak", leak);
    }
}
