//! Where the text of a message comes from.

use std::fs::File;
use std::io::{self, Read};

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::limits::BODY_BYTES;
use ipc_protocol::message::IdempotencyKey;

use crate::args::TextArguments;
use crate::context::Context;
use crate::failure::Failure;

/// The text that the arguments name. What is read is taken as it is, its last newline too.
pub(crate) fn read(arguments: &TextArguments) -> Result<String, Failure> {
    if let Some(path) = &arguments.file {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|e| Failure::local(format!("{name}: {e}")))?;
        return read_all(file, &name);
    }
    if arguments.stdin {
        return standard_input();
    }
    if arguments.text.is_empty() {
        return Err(Failure::usage("no text").hint("TEXT, `-`, --stdin or --file FILE"));
    }
    words(&arguments.text)
}

/// The words as one text; `-` alone reads standard input.
pub(crate) fn words(words: &[String]) -> Result<String, Failure> {
    if words == ["-"] {
        return standard_input();
    }
    Ok(words.join(" "))
}

fn standard_input() -> Result<String, Failure> {
    read_all(io::stdin().lock(), "standard input")
}

/// Reads to the end, or to one byte more than a message holds.
fn read_all(source: impl Read, name: &str) -> Result<String, Failure> {
    let most = u64::try_from(BODY_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    source
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::local(format!("{name}: {error}")))?;
    if bytes.len() > BODY_BYTES {
        let failure = Failure::local(format!("{name} is longer than {BODY_BYTES} bytes"));
        return Err(Failure {
            code: Some(ErrorCode::TooLarge),
            ..failure
        }
        .hint("send it in parts, or send the path of a file"));
    }
    String::from_utf8(bytes).map_err(|_| Failure::local(format!("{name} is not UTF-8 text")))
}

/// Takes the id off the front of the words, if there is one.
pub(crate) fn take_id(words: &mut Vec<String>) -> Option<MessageId> {
    let id = words.first()?.parse().ok()?;
    words.remove(0);
    Some(id)
}

/// The key that was given, else a random one: a message sent again after a lost connection is
/// stored once.
pub(crate) fn key(
    context: &mut Context,
    given: Option<IdempotencyKey>,
) -> Result<IdempotencyKey, Failure> {
    if let Some(key) = given {
        return Ok(key);
    }
    let bytes = context.random_bytes::<16>();
    let text = data_encoding::BASE64URL_NOPAD.encode(&bytes);
    text.parse()
        .map_err(|error| Failure::local(format!("{error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_bounded_and_utf8() {
        assert_eq!(read_all(&b"hi\n"[..], "x").unwrap(), "hi\n");
        assert!(read_all(&b"\xff"[..], "x").is_err());
        let endless = read_all(io::repeat(b'x'), "x").unwrap_err();
        assert_eq!(endless.code, Some(ErrorCode::TooLarge));
    }

    #[test]
    fn only_a_first_word_that_is_an_id_is_one() {
        let id = MessageId::from_row(7);
        let mut words = vec![id.to_string(), "hi".to_owned()];
        assert_eq!(take_id(&mut words), Some(id));
        assert_eq!(words, ["hi"]);
        assert_eq!(take_id(&mut words), None);
        assert_eq!(take_id(&mut Vec::new()), None);
    }
}
