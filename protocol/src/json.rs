//! JSON, strictly: an object, no key twice, no deep nesting.
//!
//! `serde_json` lets the last of two equal keys win, so that two readers of one frame could see
//! two different requests. Here the frame is refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The bytes are not a strict JSON object. Says where, never what: those are a peer's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON object, or a key twice, or nested too deep (line {line}, column {column})")]
pub struct NotStrict {
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault, from 1.
    pub column: usize,
}

/// Parses `bytes` as one JSON object, at most `depth` deep, and nothing after it.
///
/// # Errors
/// [`NotStrict`], with the place.
pub fn parse_object(bytes: &[u8], depth: usize) -> Result<Map<String, Value>, NotStrict> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let place = |e: &serde_json::Error| NotStrict {
        line: e.line(),
        column: e.column(),
    };
    let value = Strict { depth }
        .deserialize(&mut reader)
        .map_err(|e| place(&e))?;
    reader.end().map_err(|e| place(&e))?;
    match value {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(NotStrict { line: 1, column: 1 })
        }
    }
}

/// Builds a [`Value`] with `depth` levels of nesting still allowed.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_json_tolerates_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(16), "]".repeat(16));
        let digits = format!("{{\"a\":{}}}", "9".repeat(100_000));
        let bad: [&[u8]; 14] = [
            b"",
            b"[]",
            b"1",
            b"null",
            b"{} {}",
            b"{\"a\":1,\"a\":2}",
            b"{\"x\":{\"a\":1,\"\\u0061\":2}}",
            deep.as_bytes(),
            digits.as_bytes(),
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":1",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
        ];
        for bytes in bad {
            assert!(
                parse_object(bytes, 16).is_err(),
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn depth_bombs_do_not_exhaust_the_stack() {
        assert!(parse_object("[".repeat(2_000_000).as_bytes(), 16).is_err());
        assert!(parse_object("{\"a\":".repeat(100_000).as_bytes(), 16).is_err());
    }

    #[test]
    fn a_number_is_the_same_however_often_it_is_read_and_written() {
        // Found by fuzzing: read without care, it loses its last digit with every reading.
        let number = format!("60{}", "7".repeat(102));
        let mut bytes = format!("{{\"a\":{number}}}").into_bytes();
        for _ in 0..3 {
            let object = parse_object(&bytes, 16).unwrap();
            assert_eq!(object["a"].as_f64(), number.parse().ok());
            bytes = serde_json::to_vec(&object).unwrap();
        }
    }

    #[test]
    fn sixteen_levels_are_allowed() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(15), "]".repeat(15));
        assert!(parse_object(deep.as_bytes(), 16).is_ok());
    }

    #[test]
    fn a_hundred_thousand_keys_are_only_large() {
        let keys: Vec<_> = (0..100_000).map(|n| format!("\"{n}\":0")).collect();
        let object = parse_object(format!("{{{}}}", keys.join(",")).as_bytes(), 16).unwrap();
        assert_eq!(object.len(), 100_000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(object) = parse_object(&bytes, 16) {
                let again = serde_json::to_vec(&object).unwrap();
                prop_assert_eq!(parse_object(&again, 16), Ok(object));
            }
        }
    }
}
