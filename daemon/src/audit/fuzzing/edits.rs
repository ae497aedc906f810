//! A genuine log of three files, with what was kept of it elsewhere, and changes of its bytes.

use std::fs;
use std::io;

use super::super::anchor::{Anchor, Anchors, AuditKey};
use super::super::event::{Event, Who};
use super::super::verify::VerifyError;
use super::super::{Entry, files, finding::Finding};
use super::{NOW, Room, is_found, restored};
use crate::audit::log::Log;
use crate::store::past::Past;
use ipc_protocol::error::ErrorCode;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Changes in one go, at most.
const EDITS: usize = 8;

/// Bytes of a change: which file, where, what, and with which byte.
const EDIT: usize = 5;

/// Where a file of the log ends, in bytes: three have a few records each.
const FILE_BYTES: u64 = 700;

/// A log that nobody touched.
struct Genuine {
    /// By their names, those with lines first.
    files: Vec<(String, Vec<u8>)>,
    /// The key, an anchor of a record in the middle, and one of the last.
    kept: String,
}

impl Genuine {
    fn new() -> io::Result<Self> {
        let room = Room::new()?;
        let mut anchors = Vec::new();
        let mut log = Log::open(
            &room.audit(),
            Past::Unused,
            NOW,
            &mut StdRng::seed_from_u64(1),
        )
        .map_err(io::Error::other)?;
        log.file_bytes = FILE_BYTES;
        for at in 0..6_u32 {
            let denied = Event::Denied {
                request: "authenticate",
                code: ErrorCode::Unauthenticated,
                who: Who::Pid(at),
            };
            let entries = [
                restored("a backup"),
                Entry {
                    at: NOW,
                    event: denied,
                },
            ];
            log.append(&entries).map_err(io::Error::other)?;
            anchors.extend(Anchor::of(&room.audit(), NOW).map_err(io::Error::other)?);
        }
        let key = AuditKey::of_start(&room.audit()).map_err(io::Error::other)?;
        let key = key.map(|key| key.text().to_string()).unwrap_or_default();
        let anchors = anchors.iter().skip(2).step_by(3);
        let kept = anchors.fold(key, |kept, anchor| format!("{kept}{anchor}\n"));
        let lines = files::list(&room.audit()).map_err(io::Error::other)?;
        let lines = lines
            .into_iter()
            .map(|first| files::path(&room.audit(), first));
        let others = [files::state(&room.audit()), files::start(&room.audit())];
        let mut files = Vec::new();
        for path in lines.chain(others) {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            files.push((name.unwrap_or_default(), fs::read(&path)?));
        }
        assert_eq!(files.len(), 5, "three files of lines");
        Ok(Self { files, kept })
    }
}

/// Alters a genuine log as `edits` say, and looks whether that is found.
pub(super) fn altered(edits: &[u8]) -> io::Result<()> {
    thread_local! {
        static GENUINE: io::Result<Genuine> = Genuine::new();
    }
    GENUINE.with(|genuine| match genuine {
        Ok(genuine) => look(genuine, edits),
        Err(error) => Err(io::Error::other(error.to_string())),
    })
}

fn look(genuine: &Genuine, edits: &[u8]) -> io::Result<()> {
    let mut files = genuine.files.clone();
    for edit in edits.chunks_exact(EDIT).take(EDITS) {
        change(&mut files, edit);
    }
    let room = Room::new()?;
    for (name, bytes) in &files {
        room.write(name, bytes)?;
    }
    let kept: Anchors = genuine.kept.parse().map_err(io::Error::other)?;
    let with_kept = room.check(&kept);
    let alone = room.check(&Anchors::default());
    let is_same = |name: &str| of(&files, name).eq(of(&genuine.files, name));
    if is_same(".jsonl") || is_added_to(&files, &genuine.files) {
        // Added bytes are as of a write that was cut off: told, and cut away by the next start. The state
        // cannot say that a line was changed, but that it itself was.
        let is_harmless = |finding: &Finding| *finding == Finding::NoState && !is_same("state");
        let report = with_kept.as_ref().map_err(other)?;
        assert!(report.findings.iter().all(is_harmless), "{report:?}");
        assert_eq!(report.anchors, 2);
        assert_eq!(report.torn_bytes > 0, !is_same(".jsonl"));
    } else {
        assert!(is_found(&with_kept), "{with_kept:?}");
        assert!(is_found(&alone) || !is_same("start"), "{alone:?}");
    }
    room.page().map_err(io::Error::other)?;
    room.start().map_err(io::Error::other)?;
    let after = room.check(&kept);
    assert_eq!(is_found(&after), is_found(&with_kept), "{after:?}");
    Ok(())
}

fn other(error: &VerifyError) -> io::Error {
    io::Error::other(error.to_string())
}

/// What is in each file whose name ends so.
fn of<'a>(files: &'a [(String, Vec<u8>)], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let those = files.iter().filter(move |(own, _)| own.ends_with(name));
    those.map(|(_, bytes)| &**bytes)
}

/// Whether the last file has more at its end, short of a line, and nothing else is changed in any.
fn is_added_to(files: &[(String, Vec<u8>)], genuine: &[(String, Vec<u8>)]) -> bool {
    let (now, then): (Vec<_>, Vec<_>) = (
        of(files, ".jsonl").collect(),
        of(genuine, ".jsonl").collect(),
    );
    let (Some((last, now)), Some((old, then))) = (now.split_last(), then.split_last()) else {
        return false;
    };
    let added = last.strip_prefix(*old);
    now == then && added.is_some_and(|added| !added.is_empty() && !added.contains(&b'\n'))
}

fn change(files: &mut [(String, Vec<u8>)], edit: &[u8]) {
    let &[which, high, low, what, byte] = edit else {
        return;
    };
    let file = usize::from(which).checked_rem(files.len()).unwrap_or(0);
    let Some((_, bytes)) = files.get_mut(file) else {
        return;
    };
    let place = usize::from(u16::from_be_bytes([high, low]));
    let at = place
        .checked_rem(bytes.len().saturating_add(1))
        .unwrap_or(0);
    match what % 4 {
        0 => {
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
        1 => bytes.insert(at, byte),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        2 => {}
        _ => bytes.truncate(at),
    }
}
