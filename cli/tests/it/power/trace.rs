//! What a process did, as `trace.c` wrote it down, in the order in which it happened.

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::Letter;

/// A file, directory or socket, as the system numbers it. Numbers of files that are gone come
/// again: [`Event::Created`] begins a new file.
pub(super) type Inode = u64;

/// One thing that happened.
#[derive(Debug)]
pub(super) enum Event {
    /// A file that was there was opened under this name.
    Opened(Inode, String),
    /// A file was made under this name.
    Created(Inode, String),
    Written(Inode, u64, Vec<u8>),
    Truncated(Inode, u64),
    /// The regular files of the directory, at the beginning of its flush, which follows.
    Listed(Vec<(Inode, String)>),
    /// What was written before this is on disk when the flush of this number has ended well.
    FlushBegun(Inode, u64),
    /// With the error that the process heard of, 0 for none.
    FlushEnded(u64, u32),
    Unlinked(String),
    Renamed(String, String),
    /// Bytes that the peer has.
    Replied(Inode, Vec<u8>),
}

/// All of it.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) events: Vec<Event>,
}

/// The fixed part of a record, in bytes: two numbers of 32 bits, three of 64.
const HEAD: usize = 32;

impl Trace {
    /// Reads the record at `path`. A process that was killed may leave half a record at its end.
    pub(super) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (mut at, mut events) = (0, Vec::new());
        while let Some(head) = bytes.get(at..at + HEAD) {
            let word = |from: usize| u32::from_ne_bytes(head[from..from + 4].try_into().unwrap());
            let long = |from: usize| u64::from_ne_bytes(head[from..from + 8].try_into().unwrap());
            let (kind, error) = (word(0), word(4));
            let (object, offset, length) = (long(8), long(16), long(24));
            at += HEAD;
            let mut rest = || {
                let end = at + usize::try_from(length).unwrap();
                let rest = bytes.get(at..end).map(<[u8]>::to_vec);
                at = end;
                rest.unwrap_or_default()
            };
            let event = match kind {
                0 => continue,
                1 => Event::Opened(object, text(rest())),
                2 => Event::Created(object, text(rest())),
                3 => Event::Written(object, offset, rest()),
                4 => Event::Truncated(object, length),
                5 => Event::Listed(text(rest()).lines().map(entry).collect()),
                6 => Event::FlushBegun(object, offset),
                7 => Event::FlushEnded(offset, error),
                8 => Event::Unlinked(text(rest())),
                9 => {
                    let names = text(rest());
                    let (from, to) = names.split_once('\n').unwrap();
                    Event::Renamed(from.to_owned(), to.to_owned())
                }
                10 => Event::Replied(object, rest()),
                other => panic!("a record of kind {other} before byte {at}"),
            };
            events.push(event);
        }
        Self { events }
    }

    /// After which event each of these messages was acknowledged on a socket. All must have been:
    /// their senders heard of them.
    pub(super) fn acknowledged(&self, letters: impl IntoIterator<Item = Letter>) -> Vec<Promise> {
        let mut streams: BTreeMap<Inode, Stream> = BTreeMap::new();
        for (at, event) in self.events.iter().enumerate() {
            if let Event::Replied(socket, bytes) = event {
                streams.entry(*socket).or_default().append(at, bytes);
            }
        }
        let mut heard: BTreeMap<String, usize> = BTreeMap::new();
        for (id, at) in streams.values().flat_map(Stream::acknowledgements) {
            heard.entry(id).or_insert(at);
        }
        let promise = |letter: Letter| {
            let at = heard.get(&letter.0.to_string());
            let at = *at.unwrap_or_else(|| panic!("no reply in the trace for {letter:?}"));
            Promise { letter, at }
        };
        letters.into_iter().map(promise).collect()
    }

    /// The number of the file that has been opened under `name` last.
    pub(super) fn inode(&self, name: &str) -> Inode {
        let named = self.events.iter().rev().find_map(|event| match event {
            Event::Opened(inode, called) | Event::Created(inode, called) if called == name => {
                Some(*inode)
            }
            _ => None,
        });
        named.unwrap_or_else(|| panic!("{name} was never opened"))
    }
}

/// A message that was acknowledged, and the event that told its sender.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) letter: Letter,
    pub(super) at: usize,
}

/// What one socket said.
#[derive(Debug, Default)]
struct Stream {
    bytes: Vec<u8>,
    /// Where each event's part ends.
    parts: Vec<(usize, usize)>,
}

impl Stream {
    fn append(&mut self, at: usize, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.parts.push((self.bytes.len(), at));
    }

    /// The ids of messages that replies on it speak of, each with the event that completed it.
    fn acknowledgements(&self) -> Vec<(String, usize)> {
        const MARK: &[u8] = b"\"message_id\":\"";
        let starts = (0..self.bytes.len()).filter(|at| self.bytes[*at..].starts_with(MARK));
        let found = starts.filter_map(|at| {
            let rest = &self.bytes[at + MARK.len()..];
            let length = rest.iter().position(|byte| *byte == b'"')?;
            let end = at + MARK.len() + length;
            let part = self.parts.partition_point(|(until, _)| *until <= end);
            Some((text(rest[..length].to_vec()), self.parts[part].1))
        });
        found.collect()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn entry(line: &str) -> (Inode, String) {
    let (inode, name) = line.split_once(' ').unwrap();
    (inode.parse().unwrap(), name.to_owned())
}
