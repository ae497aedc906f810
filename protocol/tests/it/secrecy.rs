//! What is secret is in no text that `{:?}` makes: a log line cannot leak a credential.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ipc_protocol::auth::{Credential, SaltedKey};
use ipc_protocol::request::Request;
use ipc_protocol::secret::SharedSecret;
use ipc_protocol::token::Token;
use serde_json::Value;

use crate::golden;

/// The fields whose values are credentials, or are made of one.
const SECRET_FIELDS: [&str; 6] = [
    "proof",
    "sig",
    "session",
    "resume",
    "stored_key",
    "server_key",
];

/// The bytes of every secret field in `value`, however deep.
fn secrets(value: &Value, found: &mut Vec<Vec<u8>>) {
    if let Value::Object(object) = value {
        for (key, value) in object {
            if let (true, Some(text)) = (SECRET_FIELDS.contains(&key.as_str()), value.as_str()) {
                let token = Token::parse(text).map(|token| token.key().to_vec());
                let bytes = token.or_else(|_| BASE64URL_NOPAD.decode(text.as_bytes()));
                found.push(bytes.unwrap());
            }
            secrets(value, found);
        }
    }
    if let Value::Array(values) = value {
        for value in values {
            secrets(value, found);
        }
    }
}

/// Panics if `shown` holds `secret` in any spelling that Rust or we would give it.
fn assert_hidden(shown: &str, secret: &[u8], what: &str) {
    let head = &secret[..8];
    let list = format!("{head:?}");
    let spellings = [
        list.trim_matches(['[', ']']).to_owned(),
        list.trim_matches(['[', ']']).replace(", ", ",\n"),
        HEXLOWER.encode(head),
        HEXLOWER.encode(head).to_uppercase(),
        BASE64URL_NOPAD.encode(&secret[..6]),
        String::from_utf8_lossy(secret).into_owned(),
    ];
    let without_spaces = |text: &str| text.replace([' ', '\n'], "");
    for spelling in spellings {
        let seen = without_spaces(shown).contains(&without_spaces(&spelling));
        assert!(!seen, "{what} shows {spelling:?}: {shown}");
    }
}

#[test]
fn no_request_and_no_reply_shows_a_secret_when_it_is_formatted() {
    let mut number = 0;
    for name in Request::NAMES {
        let golden = golden::file(name);
        let mut found = Vec::new();
        secrets(&golden, &mut found);
        number += found.len();
        let shown = golden::read(&golden).shown;
        for secret in found {
            assert_hidden(&shown, &secret, name);
        }
    }
    assert_eq!(
        number, 9,
        "proof, sig, three tokens and two verifiers of two keys"
    );
}

#[test]
fn no_credential_shows_itself_when_it_is_formatted() {
    let secret = SharedSecret::new(b"correct horse battery staple".to_vec()).unwrap();
    let alone = format!("{secret:?}");
    let inside = format!("{:?}", Credential::Secret(secret));
    for shown in [alone, inside] {
        assert_hidden(&shown, b"correct horse battery staple", "the secret");
    }

    let golden = golden::file("register");
    let text = golden["reply"]["result"]["session"].as_str().unwrap();
    let token = Token::parse(text).unwrap();
    let key = *token.key();
    let salted = SaltedKey::of_token(key);
    let verifier = salted.verifier();
    let (stored, server) = (verifier.stored_key, verifier.server_key);
    let alone = format!("{token:?} {salted:?} {verifier:?}");
    let inside = format!("{:?}", Credential::Token(token));
    for secret in [key, stored, server] {
        assert_hidden(&alone, &secret, "a token");
        assert_hidden(&inside, &secret, "a credential");
    }
}

#[test]
fn what_is_refused_is_not_repeated() {
    let golden = golden::file("register");
    let text = golden["reply"]["result"]["session"].as_str().unwrap();
    let damaged = format!("{text}x");
    let error = Token::parse(&damaged).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(text.get(5..20).unwrap()));
    let error = SharedSecret::new(b"short".to_vec()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("short\""));
}
