//! Shapes that are more than a prefix and a run. Each is given the text and where the prefix
//! stands, and says where the credential is.

mod assigned;
mod jwt;
mod pem;

use std::ops::{Range, RangeInclusive};

use super::{Alphabet, begins, checks};
pub(in crate::leak) use assigned::{aws_secret_key, azure_storage_key};
pub(in crate::leak) use jwt::jwt;
pub(in crate::leak) use pem::private_key;

/// Bytes that hold the longest path of such an address of Slack.
const SLACK_PATH: usize = 128;

/// How far from the signature the other parameters of a shared access signature may be, in bytes.
pub(in crate::leak) const SAS_QUERY: usize = 512;

/// Digits of the number of a Telegram bot.
const BOT_ID: RangeInclusive<usize> = 8..=10;

/// A SHA-256 in base64, as a parameter: what an address is signed with, where a version (`sv`) is beside it.
pub(in crate::leak) fn azure_sas(bytes: &[u8], at: usize) -> Option<Range<usize>> {
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

/// An address that starts something in a workspace for whoever knows it: `services`, `workflows` or
/// `triggers`, what it belongs to, and a secret.
pub(in crate::leak) fn slack_address(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let host = bytes.get(at..)?.iter().take_while(|byte| **byte != b'/');
    let path = at.checked_add(host.count())?.checked_add(1)?;
    let rest = bytes.get(path..)?.iter().take(SLACK_PATH);
    let is_part = |byte: &&u8| Alphabet::Word.has(**byte) || **byte == b'/';
    let length = rest.take_while(is_part).count();
    #[cfg(test)]
    super::counted::add(length);
    let mut parts = bytes
        .get(path..path.checked_add(length)?)?
        .split(|byte| *byte == b'/');
    let [kind, workspace, first] = [parts.next()?, parts.next()?, parts.next()?];
    let is_number = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let (fits, second, secret, length) = match kind {
        b"services" => (first.starts_with(b"B"), None, parts.next()?, 24),
        b"workflows" => {
            let (number, secret) = (parts.next()?, parts.next()?);
            (is_number(number), Some(number), secret, 24)
        }
        b"triggers" => (is_number(first), None, parts.next()?, 32),
        _ => return None,
    };
    // Organisations begin with `E`.
    let is_of_one = matches!(workspace.first(), Some(b'T' | b'E'));
    let fits = fits && is_of_one && secret.len() == length && checks::mixed(secret);
    let before = [Some(kind), Some(workspace), Some(first), second];
    let before = before
        .iter()
        .flatten()
        .map(|part| part.len().saturating_add(1));
    let end = path.checked_add(before.sum())?.checked_add(length)?;
    fits.then_some(at..end)
}

/// `SG.`, 22 bytes, a dot, 43 bytes.
pub(in crate::leak) fn sendgrid_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
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
pub(in crate::leak) fn telegram_token(bytes: &[u8], at: usize) -> Option<Range<usize>> {
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
