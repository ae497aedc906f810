//! Reading one request: a JSON object without a length and without an end, as soon as it is
//! complete, and no longer than it takes.

use std::io::Read;

use ipc_protocol::json;
use ipc_protocol::limits::JSON_DEPTH;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};
use zeroize::Zeroizing;

use super::wire::{Fields, Refused};
use crate::limits::{OLD_PORT_DEADLINE, OLD_PORT_PIECES, OLD_PORT_REQUEST, SILENCE_DEADLINE};

/// Why there is no request.
#[derive(Debug)]
pub(super) enum Gone {
    /// Nothing came: there is nobody to answer.
    Silent,
    /// What came is none.
    Broken(Refused),
}

/// Reads one request. With every one of `places` taken, whoever is slow is not waited for.
pub(super) async fn request(stream: &mut TcpStream, places: &Semaphore) -> Result<Fields, Gone> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(OLD_PORT_REQUEST));
    let begun = Instant::now();
    let read = timeout_at(begun + OLD_PORT_DEADLINE, pieces(stream, &mut bytes));
    tokio::select! {
        read = read => match read {
            Ok(outcome) => outcome,
            Err(_) if bytes.is_empty() => Err(Gone::Silent),
            Err(_) => Err(broken("Request not complete within 5 seconds")),
        },
        () = pushed_out(begun, places) => Err(Gone::Silent),
    }
}

async fn pieces(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<Fields, Gone> {
    for _ in 0..OLD_PORT_PIECES {
        let room = OLD_PORT_REQUEST.saturating_sub(bytes.len());
        let room = u64::try_from(room).unwrap_or(0);
        if room == 0 {
            return Err(broken("Request larger than 64 KiB"));
        }
        match (&mut *stream).take(room).read_buf(bytes).await {
            Ok(0) if bytes.is_empty() => return Err(Gone::Silent),
            Ok(0) => return fields(bytes),
            Ok(_) if is_cut_short(bytes) => {}
            Ok(_) => return fields(bytes),
            Err(_) => return Err(Gone::Silent),
        }
    }
    Err(broken("Request in too many pieces"))
}

/// Whether more must come before it can be said what this is.
pub(super) fn is_cut_short(bytes: &[u8]) -> bool {
    let looked: Result<IgnoredAny, _> = serde_json::from_slice(bytes);
    looked.is_err_and(|error| match error.classify() {
        Category::Eof => true,
        Category::Syntax => is_cut_in_a_number(bytes),
        Category::Data | Category::Io => false,
    })
}

/// Whether it ends where a digit must follow: the parser takes that for a wrong number, not for the end.
fn is_cut_in_a_number(bytes: &[u8]) -> bool {
    let may_be = matches!(bytes.last(), Some(b'-' | b'+' | b'.' | b'e' | b'E'));
    let with_digit = || serde_json::from_reader::<_, IgnoredAny>(Read::chain(bytes, &b"0"[..]));
    may_be && with_digit().is_err_and(|error| error.classify() == Category::Eof)
}

pub(super) fn fields(bytes: &[u8]) -> Result<Fields, Gone> {
    let object = json::parse_object(bytes, JSON_DEPTH);
    let strict = "Not one JSON object, or a key twice, or nested too deep";
    object.map(Fields).map_err(|_| broken(strict))
}

/// Ends when somebody else waits for the place of one who is slow.
async fn pushed_out(begun: Instant, places: &Semaphore) {
    let mut next = begun + SILENCE_DEADLINE;
    loop {
        sleep_until(next).await;
        if places.available_permits() == 0 {
            return;
        }
        next += SILENCE_DEADLINE;
    }
}

const fn broken(text: &'static str) -> Gone {
    Gone::Broken(Refused(std::borrow::Cow::Borrowed(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_complete_with_its_last_brace_and_not_before() {
        let whole = "{\"a\": {\"b\": \"}ä\\\"\"}, \"c\": [1, 2]}";
        for at in 1..whole.len() {
            assert!(is_cut_short(&whole.as_bytes()[..at]), "at {at}");
        }
        assert!(!is_cut_short(whole.as_bytes()));
        assert!(fields(format!("{whole}\n").as_bytes()).is_ok());
    }

    #[test]
    fn a_request_may_be_cut_anywhere_in_a_number() {
        // Found by fuzzing: cut behind its sign, it was refused as wrong.
        let whole = r#"{"a": [-1, -1.5e+7, 2E-3, 0.1]}"#;
        for at in 1..whole.len() {
            assert!(is_cut_short(&whole.as_bytes()[..at]), "at {at}");
        }
        for bad in ["-", "1e", r#"{"a" 1-"#, r#"{"a": --"#, r#"{"a": 1.-"#] {
            assert!(!is_cut_short(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn what_cannot_become_a_request_is_not_waited_for() {
        for bad in [
            "hello",
            "GET / HTTP/1.1\r\n",
            "[]",
            "12 ",
            "{}{}",
            "{\"a\" 1",
            "\u{0}",
        ] {
            assert!(!is_cut_short(bad.as_bytes()), "{bad}");
            assert!(fields(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
