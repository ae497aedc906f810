//! Shapes that are more than a prefix and a run. Each is given the text and where the prefix
//! stands, and says where the credential is.

use std::ops::{Range, RangeInclusive};

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Alphabet, DASHES, begins, checks, dashes};

/// Longest label of a frame, in bytes: `ENCRYPTED PRIVATE KEY` and its like.
const LABEL: usize = 40;

/// Fewest bytes of a line that a key is written in: 64 and more are usual, the last may be short.
const LINE: usize = 32;

/// Longest part of a JSON Web Token that is looked into, in bytes.
const JWT_PART: usize = 8_192;

/// Fewest bytes of its signature: 128 bits.
const JWT_SIGNATURE: usize = 22;

/// The token on the front page of jwt.io, which everybody writes about.
const JWT_EXAMPLE: &[u8] = b"eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lI";

/// Bytes of the longest name of a secret access key, and of what stands between it and the key.
const AWS_NAME: usize = 21;
const AWS_JOINTS: usize = 32;

/// The key of Azure's storage emulator, which is the same everywhere and documented.
const AZURE_EMULATOR: &[u8] = b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6";

/// How far from the signature the other parameters of a shared access signature may be, in bytes.
pub(in super::super) const SAS_QUERY: usize = 512;

/// Digits of the number of a Telegram bot.
const BOT_ID: RangeInclusive<usize> = 8..=10;

/// A frame with a private key in it, to its end; without one to the next frame or the end of the
/// text: half a key is worth masking whole.
pub(in super::super) fn private_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let begin = at.checked_add(b"-----BEGIN ".len())?;
    let after = bytes.get(begin..)?;
    let label = dashes(after.get(..after.len().min(LABEL))?)?;
    let label = after.get(..label)?;
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let body = begin.checked_add(label.len())?.checked_add(DASHES.len())?;
    let rest = bytes.get(body..)?;
    let length = dashes(rest).unwrap_or(rest.len());
    let key = rest.get(..length)?;
    // Prose that only names the frame has no such line.
    let mut lines = key.split(|byte| !Alphabet::Base64.has(*byte) && *byte != b'=');
    if !lines.any(|line| line.len() >= LINE && checks::mixed(line)) {
        return None;
    }
    let end = body.checked_add(length)?;
    let closing = [DASHES, b"END ", label, DASHES].concat();
    let closes = bytes.get(end..)?.starts_with(&closing);
    let end = end.checked_add(if closes { closing.len() } else { 0 })?;
    Some(at..end)
}

/// Forty bytes of base64 that are assigned to its name.
pub(in super::super) fn aws_secret_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let joins = |byte: u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'\\' | b':' | b'=' | b'>' | b'|'
        )
    };
    let ahead = bytes.get(at..)?;
    let ahead = ahead.get(..ahead.len().min(AWS_NAME + AWS_JOINTS + 41))?;
    let name = ahead
        .iter()
        .take(AWS_NAME)
        .take_while(|byte| !joins(**byte));
    let name = name.count();
    let joints = ahead.iter().skip(name).take(AWS_JOINTS);
    let before = name.checked_add(joints.take_while(|byte| joins(**byte)).count())?;
    let rest = ahead.get(before..)?;
    let key = rest.get(..40)?;
    let fits = before > name && Alphabet::Base64.run(rest) == 40 && checks::mixed(key);
    let start = at.checked_add(before)?;
    fits.then_some(start..start.checked_add(40)?)
}

/// 64 bytes in base64.
pub(in super::super) fn azure_storage_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_add(b"AccountKey=".len())?;
    let key = bytes.get(start..)?.get(..88)?;
    let is_key = Alphabet::Base64.run(key) == 86 && key.ends_with(b"==");
    let is_public = key.starts_with(AZURE_EMULATOR);
    (is_key && !is_public && checks::mixed(key)).then_some(start..start.checked_add(88)?)
}

/// A SHA-256 in base64, as a parameter: what an address is signed with, where a version (`sv`) is beside it.
pub(in super::super) fn azure_sas(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if !begins(bytes, at, |byte| !matches!(byte, b'?' | b'&' | b';' | b'"')) {
        return None;
    }
    let start = at.checked_add(b"sig=".len())?;
    let is_part = |byte: &&u8| Alphabet::Base64.has(**byte) || matches!(byte, b'%' | b'=');
    let length = bytes
        .get(start..)?
        .iter()
        .take(96)
        .take_while(is_part)
        .count();
    let end = start.checked_add(length)?;
    let signature = bytes.get(start..end)?;
    let ends = [&b"%3D"[..], b"%3d", b"="];
    let is_padded = ends.iter().any(|end| signature.ends_with(end));
    if !is_padded || !(44..=80).contains(&length) || !checks::mixed(signature) {
        return None;
    }
    Some(start..end)
}

/// What follows the address of webhooks: workspace, channel and a secret of 24.
pub(in super::super) fn slack_webhook(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let path = at.checked_add(b"hooks.slack.com/services/".len())?;
    let rest = bytes.get(path..)?;
    let rest = rest.get(..rest.len().min(64))?;
    let length = rest
        .iter()
        .take_while(|b| Alphabet::Word.has(**b) || **b == b'/')
        .count();
    let parts: Vec<_> = rest.get(..length)?.split(|byte| *byte == b'/').collect();
    let [workspace, channel, secret] = parts.as_slice() else {
        return None;
    };
    let is_one = workspace.starts_with(b"T") && channel.starts_with(b"B") && secret.len() == 24;
    (is_one && checks::mixed(secret)).then_some(at..path.checked_add(length)?)
}

/// `SG.`, 22 bytes, a dot, 43 bytes.
pub(in super::super) fn sendgrid_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if !begins(bytes, at, |byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let id = bytes.get(at.checked_add(3)?..)?;
    let (id, rest) = id.split_at_checked(22)?;
    let secret = rest.strip_prefix(b".")?;
    let (secret, after) = secret.split_at_checked(43)?;
    let is_key = [id, secret]
        .iter()
        .all(|part| Alphabet::WordDash.run(part) == part.len());
    let ends = !after
        .first()
        .is_some_and(|byte| Alphabet::WordDash.has(*byte));
    (is_key && ends && checks::mixed(secret)).then_some(at..at.checked_add(69)?)
}

/// The number of a bot, a colon, `AA` and 33 bytes.
pub(in super::super) fn telegram_token(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let id = BOT_ID.rev().find(|length| {
        let start = at.checked_sub(*length);
        let id = start.and_then(|start| bytes.get(start..at));
        id.is_some_and(|id| id.iter().all(u8::is_ascii_digit))
            && start.is_some_and(|start| begins(bytes, start, |byte| byte.is_ascii_digit()))
    })?;
    let secret = bytes.get(at.checked_add(1)?..)?;
    let secret = secret.get(..secret.len().min(36))?;
    let fits = Alphabet::WordDash.run(secret) == 35;
    let secret = secret.get(..35)?;
    (fits && checks::mixed(secret)).then_some(at.checked_sub(id)?..at.checked_add(36)?)
}

/// The header of a JSON Web Token, as far as it matters.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
}

/// Three parts of base64 of which the first two are JSON and the last is a signature.
pub(in super::super) fn jwt(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if !begins(bytes, at, |byte| Alphabet::WordDashDot.has(byte)) {
        return None;
    }
    let run = bytes.get(at..)?;
    let run = run.get(..Alphabet::WordDashDot.run(run))?;
    let mut parts = run.split(|byte| *byte == b'.');
    let [header, claims, signature] = [parts.next()?, parts.next()?, parts.next()?];
    if signature.len() < JWT_SIGNATURE || claims.starts_with(JWT_EXAMPLE) {
        return None;
    }
    let header_bytes = header.len();
    let header: Header = opened(header)?;
    let _claims: Map<String, Value> = opened(claims)?;
    let length = [header_bytes, 1, claims.len(), 1, signature.len()];
    let end = at.checked_add(length.iter().sum())?;
    (header.alg != "none").then_some(at..end)
}

/// What a part of a JSON Web Token says.
fn opened<T: for<'de> Deserialize<'de>>(part: &[u8]) -> Option<T> {
    let json = (part.len() <= JWT_PART).then(|| BASE64URL_NOPAD.decode(part))?;
    serde_json::from_slice(&json.ok()?).ok()
}
