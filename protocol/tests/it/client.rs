//! The client against servers that lie: it stops, and nothing more leaves it.

use ipc_protocol::auth::{
    Bytes, ClientHello, Credential, HandshakeError, KdfName, SaltedKey, Verifier,
};
use ipc_protocol::client::ClientError;
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::limits::FRAME_BEFORE_AUTH;
use ipc_protocol::request::{Challenge, ChallengeSalt, Hello, Request, Signed, Whoami};
use ipc_protocol::secret::SharedSecret;
use ipc_protocol::token::{Token, TokenKind};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::false_server::{FalseServer, Step, answer, challenges, framed, refuse, signs};

fn session() -> Credential {
    let mut rng = StdRng::seed_from_u64(1);
    Credential::Token(Token::random(TokenKind::Session, &mut rng))
}

fn secret() -> Credential {
    Credential::Secret(SharedSecret::new(b"correct horse battery staple".to_vec()).unwrap())
}

fn verifier(credential: &Credential) -> Verifier {
    let Credential::Token(token) = credential else {
        panic!("only tokens here");
    };
    SaltedKey::of_token(*token.key()).verifier()
}

fn hello(credential: &Credential) -> Hello {
    ClientHello::new(credential, [3; 32]).request()
}

/// Meets a server that changes its challenge; says why the client stopped.
fn challenged(credential: &Credential, change: impl Fn(&mut Challenge) + 'static) -> ClientError {
    let server = FalseServer::new(vec![challenges(change)]);
    let error = server.meet(credential).unwrap_err();
    assert_eq!(server.heard(), ["hello"], "nothing more was sent: {error}");
    error
}

fn stopped(error: &ClientError) -> HandshakeError {
    match error {
        ClientError::Handshake(why) => *why,
        other => panic!("the client did not see through it: {other:?}"),
    }
}

#[test]
fn a_server_that_proves_itself_is_told_more() {
    // The control: without it, the other tests could pass because nothing ever works.
    let credential = session();
    let server = FalseServer::new(vec![
        challenges(|_| {}),
        signs(verifier(&credential), hello(&credential)),
        Box::new(|call| refuse(Some(call.id), Refusal::new(ErrorCode::Busy, "later"))),
    ]);
    let mut client = server.meet(&credential).unwrap();
    let error = client.call(&Whoami {}).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Busy));
    assert_eq!(server.heard(), ["hello", "authenticate", "whoami"]);
}

#[test]
fn a_server_that_asks_for_cheap_or_endless_work_hears_nothing_more() {
    for (kdf, params) in [
        (KdfName::Argon2id, "m=19455,t=2,p=1"),
        (KdfName::Argon2id, "m=19456,t=1,p=1"),
        (KdfName::Argon2id, "m=262145,t=2,p=1"),
        (KdfName::Argon2id, "m=19456,t=11,p=1"),
        (KdfName::Argon2id, "m=19456,t=2,p=5"),
        (KdfName::Argon2id, ""),
        (KdfName::Scrypt, "n=16384,r=8,p=1"),
        (KdfName::Scrypt, "n=262144,r=8,p=1"),
        (KdfName::Scrypt, "n=32768,r=8,p=6"),
        (KdfName::Scrypt, "m=19456,t=2,p=1"),
        (KdfName::None, ""),
    ] {
        let error = challenged(&secret(), move |c| {
            c.kdf = kdf;
            c.params = params.to_owned();
        });
        assert_eq!(stopped(&error), HandshakeError::Kdf, "{kdf:?} {params}");
    }
    for bytes in [0, 15] {
        let error = challenged(&secret(), move |c| {
            c.salt = ChallengeSalt::new(vec![1; bytes]);
        });
        assert_eq!(
            stopped(&error),
            HandshakeError::Kdf,
            "a salt of {bytes} bytes"
        );
    }
    let error = challenged(&secret(), |c| c.salt = ChallengeSalt::new(vec![1; 33]));
    assert!(matches!(error, ClientError::Protocol), "{error:?}");
}

#[test]
fn a_server_that_wants_a_token_derived_from_hears_nothing_more() {
    let changes: [fn(&mut Challenge); 3] = [
        |c| c.kdf = KdfName::Scrypt,
        |c| c.params = "m=19456,t=2,p=1".to_owned(),
        |c| c.salt = ChallengeSalt::new(vec![1; 16]),
    ];
    for change in changes {
        assert_eq!(
            stopped(&challenged(&session(), change)),
            HandshakeError::Kdf
        );
    }
}

#[test]
fn a_server_that_sees_another_process_or_user_hears_nothing_more() {
    let changes: [fn(&mut Challenge); 3] = [
        |c| c.peer.pid = 4_243,
        |c| c.peer.uid = 1_001,
        |c| c.suid = 1_001,
    ];
    for change in changes {
        assert_eq!(
            stopped(&challenged(&session(), change)),
            HandshakeError::Peer
        );
    }
}

#[test]
fn a_server_of_another_version_hears_nothing_more() {
    for version in [0, 2, u32::MAX] {
        let error = challenged(&session(), move |c| c.v = version);
        assert_eq!(stopped(&error), HandshakeError::Version);
    }
}

/// Meets a server that challenges honestly and then signs as `sign` says.
fn signed(sign: impl Fn(Bytes<32>) -> Bytes<32> + 'static) -> ClientError {
    let step: Step = Box::new(move |call| match &call.request {
        Request::Authenticate(proof) => answer(
            call,
            &Signed {
                sig: sign(proof.proof),
            },
        ),
        other => panic!("expected `authenticate`, not {other:?}"),
    });
    let server = FalseServer::new(vec![challenges(|_| {}), step]);
    let error = server.meet(&session()).unwrap_err();
    assert_eq!(server.heard(), ["hello", "authenticate"]);
    error
}

#[test]
fn a_server_without_the_key_hears_nothing_after_the_proof() {
    let other = verifier(&Credential::Token(Token::random(
        TokenKind::Session,
        &mut StdRng::seed_from_u64(2),
    )));
    let hello = hello(&session());
    let transcript = crate::false_server::challenge(&hello).transcript(&hello);
    let foreign = other.sign(&transcript);
    assert_eq!(
        stopped(&signed(move |_| foreign)),
        HandshakeError::Signature
    );
    assert_eq!(
        stopped(&signed(|_| Bytes([0; 32]))),
        HandshakeError::Signature
    );
}

#[test]
fn a_server_that_sends_the_proof_back_as_its_signature_hears_nothing_more() {
    assert_eq!(stopped(&signed(|proof| proof)), HandshakeError::Signature);
}

#[test]
fn a_signature_over_another_transcript_is_no_signature() {
    let credential = session();
    let (own, hello) = (verifier(&credential), hello(&credential));
    let changes: [fn(&mut Challenge); 4] = [
        |c| c.dep = Bytes([0; 16]),
        |c| c.sn = Bytes([0; 32]),
        |c| c.kid = "k2".to_owned(),
        |c| c.peer.pid = 1,
    ];
    for change in changes {
        let mut other = crate::false_server::challenge(&hello);
        change(&mut other);
        let sig = own.sign(&other.transcript(&hello));
        assert_eq!(stopped(&signed(move |_| sig)), HandshakeError::Signature);
    }
}

#[test]
fn an_early_refusal_is_reported() {
    let no = || Refusal::new(ErrorCode::RateLimited, "too many wrong proofs").retry_after(6_000);
    let server = FalseServer::new(vec![Box::new(move |call| refuse(Some(call.id), no()))]);
    let error = server.meet(&session()).unwrap_err();
    let ClientError::Refused(refusal) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (refusal.code, refusal.retry_after_ms),
        (ErrorCode::RateLimited, Some(6_000))
    );
    assert_eq!(server.heard(), ["hello"]);
}

#[test]
fn a_refusal_that_answers_no_call_is_reported() {
    let no = || Refusal::new(ErrorCode::Unavailable, "the daemon is stopping");
    let server = FalseServer::new(vec![Box::new(move |_| refuse(None, no()))]);
    let error = server.meet(&session()).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Unavailable));
}

#[test]
fn a_refusal_is_read_though_the_server_takes_nothing_more() {
    let server = FalseServer::default();
    server.say_and_close(&refuse(None, Refusal::new(ErrorCode::Busy, "full")));
    let error = server.meet(&session()).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Busy));
    assert!(server.heard().is_empty());
}

#[test]
fn a_server_that_closes_without_a_word_is_told_apart() {
    let server = FalseServer::new(vec![Box::new(|_| Vec::new())]);
    assert!(matches!(server.meet(&session()), Err(ClientError::Closed)));
}

#[test]
fn a_stranger_cannot_make_the_client_hold_a_large_frame() {
    let large = vec![b' '; usize::try_from(FRAME_BEFORE_AUTH).unwrap() + 1];
    let server = FalseServer::new(vec![Box::new(move |_| framed(&large))]);
    assert!(matches!(
        server.meet(&session()),
        Err(ClientError::Protocol)
    ));
    assert_eq!(server.heard(), ["hello"]);
}

proptest! {
    #[test]
    fn whatever_a_server_answers_to_hello_nothing_follows(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        in_a_frame in any::<bool>(),
    ) {
        let says = if in_a_frame && !bytes.is_empty() { framed(&bytes) } else { bytes };
        let server = FalseServer::new(vec![Box::new(move |_| says.clone())]);
        prop_assert!(server.meet(&session()).is_err());
        prop_assert_eq!(server.heard(), ["hello"]);
    }
}
