//! Any bytes as what a host writes.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use rmcp::model::JsonRpcMessage;
use tokio::io::{AsyncRead, ReadBuf};

use super::{Lines, Message, Refused};

/// Longest line that is read here, in bytes: small, so that lengths around it are common.
const LONGEST: usize = 256;

/// However the stream is cut, the same messages and refusals come of it, at most one of a line; and what
/// has no answer gets none.
pub fn lines(bytes: &[u8]) {
    let Some((step, stream)) = bytes.split_first() else {
        return;
    };
    let whole = read(stream, stream.len());
    let pieces = read(stream, usize::from(*step).max(1));
    assert_eq!(whole, pieces, "the cuts of the stream change what is in it");
    let lines = stream.split(|byte| *byte == b'\n');
    assert!(whole.len() <= lines.count(), "more messages than lines");
}

/// What comes of `stream` when each read gives at most `step` bytes.
fn read(stream: &[u8], step: usize) -> Vec<String> {
    let mut lines = Lines::new(Pieces { stream, step }, LONGEST);
    let mut found = Vec::new();
    // Nothing is ever waited for, so that one look is all it takes.
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let next = std::pin::pin!(lines.next()).poll(&mut context);
        let Poll::Ready(next) = next else {
            assert!(
                stream.is_empty(),
                "a stream that gives all at once was waited for"
            );
            return found;
        };
        assert!(next.is_ok(), "a stream without faults had one");
        let Ok(Some(next)) = next else { return found };
        found.push(shown(next));
    }
}

fn shown(next: Result<Message, Refused>) -> String {
    match next {
        Ok(JsonRpcMessage::Request(request)) => format!("{request:?}"),
        Ok(message) => format!("no request: {message:?}"),
        Err(Refused { id, error }) => {
            // JSON-RPC 2.0, section 5.1: not JSON, no request, wrong parameters.
            assert!([-32_700, -32_600, -32_602].contains(&error.code.0));
            format!("{id:?} {error:?}")
        }
    }
}

/// A stream that is there as a whole and comes in pieces.
struct Pieces<'a> {
    stream: &'a [u8],
    step: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let bytes = self.step.min(self.stream.len()).min(into.remaining());
        let (now, later) = self.stream.split_at(bytes);
        into.put_slice(now);
        self.stream = later;
        Poll::Ready(Ok(()))
    }
}
