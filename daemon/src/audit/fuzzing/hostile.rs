//! A log that somebody wrote who knows all about it but the keys that are wiped: the checksum of the
//! state, the numbers, and how lines are sealed with a key of one's own.

use std::io;

use super::super::anchor::{Anchors, AuditKey};
use super::super::chain::{Chain, LineKey, Sequence};
use super::super::state::{State, StateFile};
use super::super::{files, finding::Finding};
use super::Room;

/// Files of lines, at most.
const FILES: usize = 4;

/// What stands before the lines.
struct Header {
    flags: u8,
    /// The number of the first line.
    first: Sequence,
    /// What the state says, where it does not say what fits.
    next: Sequence,
    file: Sequence,
    length: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (flags, mut rest) = bytes.split_first()?;
        let mut number = || {
            let (number, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            Some(u64::from_be_bytes(*number))
        };
        let header = Self {
            flags: *flags,
            first: number()?,
            next: number()?,
            file: number()?,
            length: number()?,
        };
        Some((header, rest))
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// There is no state.
const NO_STATE: u8 = 1;
/// The state is the text.
const RAW_STATE: u8 = 2;
/// The state says what the header says.
const ODD_STATE: u8 = 4;
/// There is no key.
const NO_START: u8 = 8;
/// The key is that of the first line, whichever it is.
const LATER_START: u8 = 16;
/// The key is the text.
const RAW_START: u8 = 32;

/// Lines as they come. One that begins with 1 is sealed, and goes on behind its number; one of 2 alone
/// begins a file.
struct Lines {
    chain: Chain,
    files: Vec<(Sequence, Vec<u8>)>,
}

impl Lines {
    fn read(first: Sequence, key: LineKey, text: &[u8]) -> Self {
        let mut chain = Chain::begin(key);
        chain.next = first;
        let files = vec![(first, Vec::new())];
        let mut lines = Self { chain, files };
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            lines.add(line);
        }
        lines
    }

    fn add(&mut self, line: &[u8]) {
        let number = self.files.len();
        let sealed = match line {
            [1, record @ ..] => {
                let record = String::from_utf8_lossy(record);
                let record = record.trim_end_matches('\n');
                let (line, after) = self
                    .chain
                    .seal(&format!("{{\"n\":{},{record}", self.chain.next));
                self.chain = after;
                line.into_bytes()
            }
            [2, b'\n'] if number < FILES => {
                if self
                    .files
                    .iter()
                    .all(|(first, _)| *first != self.chain.next)
                {
                    self.files.push((self.chain.next, Vec::new()));
                }
                Vec::new()
            }
            other => other.to_vec(),
        };
        if let Some((_, file)) = self.files.last_mut() {
            file.extend(sealed);
        }
    }
}

/// Writes such a log, checks it, reads it, and starts on it.
pub(super) fn written(bytes: &[u8]) -> io::Result<()> {
    let Some((header, text)) = Header::read(bytes) else {
        return Ok(());
    };
    let room = Room::new()?;
    let begin = Chain::begin(LineKey::new([7; 32]));
    // Of a line far on there is none that follows from the first.
    let key = begin.key_at(header.first.min(super::BOUNDS.steps));
    let lines = Lines::read(header.first, key.unwrap_or_else(|| begin.key.again()), text);
    for (first, bytes) in &lines.files {
        room.write(&format!("{first:020}.jsonl"), bytes)?;
    }
    state(&room, &header, &lines, text)?;
    start(&room, &header, begin, text)?;
    let kept: Anchors = String::from_utf8_lossy(text).parse().unwrap_or_default();
    for anchor in &kept.anchors {
        let again = anchor.to_string().parse::<Anchors>();
        let again = again.map(|again| again.anchors).ok();
        assert_eq!(again.as_deref(), Some(std::slice::from_ref(anchor)));
    }
    drop((room.check(&kept), room.check(&Anchors::default())));
    room.page().map_err(io::Error::other)?;
    room.start().map_err(io::Error::other)?;
    let is_aside = std::fs::read_dir(room.0.path())?.count() > 1;
    if is_aside {
        let report = room.check(&Anchors::default()).map_err(io::Error::other)?;
        assert_eq!(report.findings, [Finding::BegunAnew { sequence: 2 }]);
    }
    Ok(())
}

fn state(room: &Room, header: &Header, lines: &Lines, text: &[u8]) -> io::Result<()> {
    if header.has(NO_STATE) {
        return Ok(());
    }
    if header.has(RAW_STATE) {
        return room.write("state", text);
    }
    let mut chain = lines.chain.again();
    let last = lines.files.last();
    let length = last.map_or(0, |(_, bytes)| {
        u64::try_from(bytes.len()).unwrap_or(u64::MAX)
    });
    let (mut file, mut length) = (last.map_or(1, |(first, _)| *first), length);
    if header.has(ODD_STATE) {
        (chain.next, file, length) = (header.next, header.file, header.length);
    }
    let state = State {
        chain,
        file,
        length,
    };
    let made = StateFile::create(&files::state(&room.audit()), &state);
    made.map(drop).map_err(io::Error::other)
}

fn start(room: &Room, header: &Header, mut begin: Chain, text: &[u8]) -> io::Result<()> {
    if header.has(NO_START) {
        return Ok(());
    }
    if header.has(RAW_START) {
        return room.write("start", text);
    }
    if header.has(LATER_START) {
        begin.next = header.first;
    }
    room.write("start", AuditKey::of(&begin).text().as_bytes())
}
