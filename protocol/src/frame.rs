//! Frames: a big-endian `u32` length and that many bytes.
//!
//! Sans I/O: bytes are pushed in as they come, whole payloads are taken out. What always holds:
//! the length is checked against the cap before a single byte of payload is kept, so a peer
//! cannot make us hold more than the cap, and the bytes of an HTTP request, read as a length, are
//! over every cap.

/// Bytes of the length prefix.
pub const PREFIX_BYTES: usize = 4;

/// The announced length is zero or over the cap; the stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {length} bytes is outside 1 to {cap}")]
pub struct FrameLength {
    /// What the peer announced, in bytes.
    pub length: u32,
    /// The most that was allowed, in bytes.
    pub cap: u32,
}

/// Puts `payload` behind its length; `None` when it is empty or over `cap`.
pub fn encode(payload: &[u8], cap: u32) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|n| (1..=cap).contains(n))?;
    Some([length.to_be_bytes().as_slice(), payload].concat())
}

/// Cuts a stream of bytes into payloads.
#[derive(Debug)]
pub struct Decoder {
    cap: u32,
    bytes: Vec<u8>,
}

impl Decoder {
    /// A decoder that refuses frames over `cap` bytes.
    pub const fn new(cap: u32) -> Self {
        Self {
            cap,
            bytes: Vec::new(),
        }
    }

    /// Sets another cap, for the frames whose length has not been looked at yet.
    pub const fn set_cap(&mut self, cap: u32) {
        self.cap = cap;
    }

    /// Adds what was read from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a frame has begun but is not complete.
    pub const fn is_partial(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Whether the next frame is known to be longer than `bytes`.
    pub fn is_larger_than(&self, bytes: u32) -> bool {
        let length = self.bytes.first_chunk::<PREFIX_BYTES>();
        length.is_some_and(|prefix| u32::from_be_bytes(*prefix) > bytes)
    }

    /// How many bytes the next read should ask for, to end exactly at the end of a frame.
    ///
    /// # Errors
    /// [`FrameLength`] when the announced length is outside the cap.
    pub fn missing(&self) -> Result<usize, FrameLength> {
        match self.length()? {
            Some(length) => {
                let whole = PREFIX_BYTES.saturating_add(length);
                Ok(whole.saturating_sub(self.bytes.len()))
            }
            None => Ok(PREFIX_BYTES.saturating_sub(self.bytes.len())),
        }
    }

    /// Takes the next complete payload, if there is one.
    ///
    /// # Errors
    /// [`FrameLength`] when the announced length is outside the cap.
    pub fn next_payload(&mut self) -> Result<Option<Vec<u8>>, FrameLength> {
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        let whole = PREFIX_BYTES.saturating_add(length);
        if self.bytes.len() < whole {
            return Ok(None);
        }
        let rest = self.bytes.split_off(whole);
        let mut frame = std::mem::replace(&mut self.bytes, rest);
        frame.drain(..PREFIX_BYTES);
        Ok(Some(frame))
    }

    fn length(&self) -> Result<Option<usize>, FrameLength> {
        let Some(prefix) = self.bytes.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix);
        let wrong = FrameLength {
            length,
            cap: self.cap,
        };
        if length == 0 || length > self.cap {
            return Err(wrong);
        }
        usize::try_from(length).map(Some).map_err(|_| wrong)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_outside_the_cap_are_refused_before_the_payload_comes() {
        for length in [0, 101, u32::MAX, u32::from_be_bytes(*b"GET ")] {
            let mut decoder = Decoder::new(100);
            decoder.push(&length.to_be_bytes());
            assert_eq!(
                decoder.next_payload(),
                Err(FrameLength { length, cap: 100 })
            );
        }
    }

    #[test]
    fn a_frame_split_at_every_byte_is_the_same_frame() {
        let bytes = [
            encode(b"{\"a\":1}", 100).unwrap(),
            encode(b"[]", 100).unwrap(),
        ]
        .concat();
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::new(100);
            let mut payloads = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                decoder.push(part);
                while let Some(payload) = decoder.next_payload().unwrap() {
                    payloads.push(payload);
                }
            }
            assert_eq!(
                payloads,
                [b"{\"a\":1}".to_vec(), b"[]".to_vec()],
                "cut at {cut}"
            );
            assert!(!decoder.is_partial());
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(payload in proptest::collection::vec(any::<u8>(), 1..300)) {
            let mut decoder = Decoder::new(300);
            decoder.push(&encode(&payload, 300).unwrap());
            prop_assert_eq!(decoder.missing(), Ok(0));
            prop_assert_eq!(decoder.next_payload(), Ok(Some(payload)));
            prop_assert_eq!(decoder.missing(), Ok(PREFIX_BYTES));
        }

        #[test]
        fn any_bytes_are_cut_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut decoder = Decoder::new(32);
            decoder.push(&bytes);
            while let Ok(Some(payload)) = decoder.next_payload() {
                prop_assert!((1..=32).contains(&payload.len()));
            }
        }
    }
}
