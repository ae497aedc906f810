//! The published vectors, reproduced to the byte, through the same calls that the daemon makes.

use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::{
    Bytes, CredentialKind, Kdf, KdfName, Peers, SaltedKey, Transcript, transcript::Fields,
};
use crate::secret::SharedSecret;
use crate::token::Token;

#[derive(Deserialize)]
struct Vector {
    name: String,
    secret: String,
    dep: String,
    cn: String,
    sn: String,
    kid: String,
    kind: CredentialKind,
    kdf: KdfName,
    params: String,
    salt: String,
    offered: String,
    cuid: u32,
    cpid: u32,
    suid: u32,
    sp: String,
    stored_key: String,
    server_key: String,
    transcript: String,
    proof: String,
    server_sig: String,
}

fn vectors() -> Vec<serde_json::Value> {
    serde_json::from_str(include_str!("../../tests/it/auth-vectors.json")).unwrap()
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

impl Vector {
    fn all() -> Vec<Self> {
        let vectors = vectors().into_iter().filter(|v| v["name"] != "token");
        vectors
            .map(|v| serde_json::from_value(v).unwrap())
            .collect()
    }

    fn key(&self) -> SaltedKey {
        if self.kdf == KdfName::None {
            return SaltedKey::of_token(bytes(&self.sp));
        }
        let secret = SharedSecret::new(self.secret.clone().into_bytes()).unwrap();
        let salt = HEXLOWER.decode(self.salt.as_bytes()).unwrap();
        Kdf::parse(self.kdf, &self.params)
            .unwrap()
            .derive(&secret, &salt)
            .unwrap()
    }

    fn transcript(&self) -> Transcript {
        assert_eq!(self.offered, "argon2id,scrypt");
        Transcript::new(&Fields {
            deployment: &bytes::<16>(&self.dep),
            client_nonce: &Bytes(bytes(&self.cn)),
            server_nonce: &Bytes(bytes(&self.sn)),
            credential: self.kind,
            key_id: &self.kid,
            kdf: self.kdf,
            params: &self.params,
            salt: &HEXLOWER.decode(self.salt.as_bytes()).unwrap(),
            offered: &[KdfName::Argon2id, KdfName::Scrypt],
            peers: Peers {
                client_uid: self.cuid,
                client_pid: self.cpid,
                server_uid: self.suid,
            },
        })
    }
}

#[test]
fn the_vectors_are_reproduced_to_the_byte() {
    let vectors = Vector::all();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let (key, transcript, name) = (vector.key(), vector.transcript(), &vector.name);
        let verifier = key.verifier();
        assert_eq!(HEXLOWER.encode(key.bytes()), vector.sp, "{name}");
        assert_eq!(
            HEXLOWER.encode(&verifier.stored_key),
            vector.stored_key,
            "{name}"
        );
        assert_eq!(
            HEXLOWER.encode(&verifier.server_key),
            vector.server_key,
            "{name}"
        );
        assert_eq!(
            HEXLOWER.encode(transcript.as_bytes()),
            vector.transcript,
            "{name}"
        );
        let proof = key.prove(&transcript);
        assert_eq!(HEXLOWER.encode(&proof.0), vector.proof, "{name}");
        let signature = verifier.check(&transcript, &proof).unwrap();
        assert_eq!(HEXLOWER.encode(&signature.0), vector.server_sig, "{name}");
    }
}

#[test]
fn the_token_vector_is_reproduced() {
    let vectors = vectors();
    let vector = vectors.iter().find(|v| v["name"] == "token").unwrap();
    let token = Token::parse(vector["text"].as_str().unwrap()).unwrap();
    assert_eq!(HEXLOWER.encode(token.sid().as_bytes()), vector["sid"]);
    assert_eq!(HEXLOWER.encode(token.key()), vector["key"]);
    assert_eq!(token.expose().as_str(), vector["text"]);
}

#[test]
fn one_bit_flipped_anywhere_breaks_the_proof() {
    for vector in Vector::all().into_iter().filter(|v| v.kdf == KdfName::None) {
        let (key, transcript) = (vector.key(), vector.transcript());
        let (verifier, proof) = (key.verifier(), key.prove(&transcript));
        for bit in 0..transcript.as_bytes().len() * 8 {
            let other = transcript.with_flipped_bit(bit);
            assert!(
                verifier.check(&other, &proof).is_none(),
                "bit {bit} of the transcript"
            );
        }
        for bit in 0..256 {
            let mut other = proof;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(
                verifier.check(&transcript, &other).is_none(),
                "bit {bit} of the proof"
            );
        }
        let signature = verifier.sign(&transcript);
        assert!(
            verifier.check(&transcript, &signature).is_none(),
            "the signature reflected"
        );
    }
}
