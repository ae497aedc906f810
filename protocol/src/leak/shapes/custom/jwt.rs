//! JSON Web Tokens, wherever they begin: behind a word, too.

use std::ops::Range;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::Alphabet;

/// Longest part of a JSON Web Token that is looked into, in bytes: two hundred groups, as many as Entra
/// puts into one, are 11,000 with their ids and several times that with their names.
const PART: usize = 65_536;

/// Fewest bytes of its signature: 128 bits.
const SIGNATURE: usize = 22;

/// The token on the front page of jwt.io, which everybody writes about.
const EXAMPLE: &[u8] = b"eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lI";

/// Its header, as far as it matters.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
}

/// Three parts of base64 of which the first two are JSON and the last is a signature. The first goes
/// from `header.start` to the end of its run.
pub(in crate::leak) fn jwt(bytes: &[u8], header: Range<usize>) -> Option<Range<usize>> {
    let at = header.start;
    let behind = bytes.get(header.end..)?.strip_prefix(b".")?;
    let header: Header = opened(bytes.get(header)?)?;
    let claims = behind.get(..behind.len().min(PART))?;
    let claims = claims.get(..Alphabet::WordDash.run(claims))?;
    let signature = behind.get(claims.len()..)?.strip_prefix(b".")?;
    if header.alg == "none" || claims.starts_with(EXAMPLE) {
        return None;
    }
    let _claims: Map<String, Value> = opened(claims)?;
    let length = Alphabet::WordDash.run(signature);
    let signature = bytes.len().checked_sub(signature.len())?;
    (length >= SIGNATURE).then_some(at..signature.checked_add(length)?)
}

/// What a part says.
fn opened<T: for<'de> Deserialize<'de>>(part: &[u8]) -> Option<T> {
    let part = (part.len() <= PART).then_some(part)?;
    #[cfg(test)]
    super::super::counted::add(part.len());
    let json = BASE64URL_NOPAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}
