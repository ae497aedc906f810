"""The published vectors of the proof, reproduced to the byte."""

import json
import unittest
from pathlib import Path

from harness import SHIM  # noqa: F401
from claude_ipc import kdf, proof
from claude_ipc.errors import UnsafeDerivation
from claude_ipc.secret import SharedSecret
from claude_ipc.tokens import InvalidToken, Token

VECTORS = json.loads((Path(__file__).parent / "auth_vectors.json").read_text())
HANDSHAKES = [vector for vector in VECTORS if vector["name"] != "token"]


def fields(vector: dict) -> proof.Fields:
    return proof.Fields(
        deployment=bytes.fromhex(vector["dep"]),
        client_nonce=bytes.fromhex(vector["cn"]),
        server_nonce=bytes.fromhex(vector["sn"]),
        credential=vector["kind"],
        key_id=vector["kid"],
        kdf=vector["kdf"],
        params=vector["params"],
        salt=bytes.fromhex(vector["salt"]),
        offered=vector["offered"].split(","),
        peers=proof.Seen(vector["cuid"], vector["cpid"], vector["suid"]),
    )


class Vectors(unittest.TestCase):
    def test_transcript_keys_proof_and_signature_are_the_published_ones(self) -> None:
        self.assertEqual(len(HANDSHAKES), 3)
        for vector in HANDSHAKES:
            with self.subTest(vector["name"]):
                key, proved = bytes.fromhex(vector["sp"]), proof.transcript(fields(vector))
                self.assertEqual(proved.hex(), vector["transcript"])
                self.assertEqual(proof.stored_key(key).hex(), vector["stored_key"])
                self.assertEqual(proof.server_key(key).hex(), vector["server_key"])
                self.assertEqual(proof.prove(key, proved).hex(), vector["proof"])
                self.assertEqual(proof.sign(key, proved).hex(), vector["server_sig"])

    def test_scrypt_derives_the_published_key(self) -> None:
        (vector,) = [vector for vector in HANDSHAKES if vector["kdf"] == "scrypt"]
        secret = SharedSecret(vector["secret"].encode())
        key = kdf.derive(secret, "scrypt", vector["params"], bytes.fromhex(vector["salt"]))
        self.assertEqual(key.hex(), vector["sp"])

    def test_the_token_is_read_as_published(self) -> None:
        (vector,) = [vector for vector in VECTORS if vector["name"] == "token"]
        token = Token(vector["text"])
        self.assertEqual((token.kind, token.expose()), ("session", vector["text"]))
        self.assertEqual(token.key.hex(), vector["key"])
        session = next(v for v in HANDSHAKES if v["name"] == "session")
        self.assertEqual(token.sid, session["kid"])

    def test_one_bit_flipped_anywhere_breaks_the_proof(self) -> None:
        vector = next(v for v in HANDSHAKES if v["name"] == "session")
        key, proved = bytes.fromhex(vector["sp"]), proof.transcript(fields(vector))
        right = proof.prove(key, proved)
        for bit in range(len(proved) * 8):
            other = bytearray(proved)
            other[bit // 8] ^= 1 << bit % 8
            self.assertNotEqual(proof.prove(key, bytes(other)), right, bit)

    def test_a_token_with_a_flipped_character_is_none(self) -> None:
        text = next(v for v in VECTORS if v["name"] == "token")["text"]
        wrong = [text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :] for at in range(len(text))]
        for other in [*wrong, "", text + "A", text[1:], text + "\n", " " + text, text.upper()]:
            with self.assertRaises(InvalidToken) as caught:
                Token(other)
            self.assertNotIn(text[10:40], str(caught.exception))


class Bounds(unittest.TestCase):
    def test_cheap_endless_and_oddly_spelled_derivations_are_refused(self) -> None:
        secret, salt = SharedSecret(b"correct horse"), bytes(16)
        for params in (
            "n=16384,r=8,p=1", "n=262144,r=8,p=1", "n=32769,r=8,p=1", "n=32768,r=1,p=1",
            "n=32768,r=16,p=1", "n=32768,r=8,p=0", "n=32768,r=8,p=6", "n=0,r=8,p=1", "",
            "N=32768,r=8,p=1", "n=032768,r=8,p=1", "n=+32768,r=8,p=1", "r=8,n=32768,p=1",
            "n=32768,r=8,p=1,x=1", "n=32768,r=8", "n=32768,r=8,p=1\n", "n=٣٢٧٦٨,r=8,p=1",
            "n=" + "9" * 3_000 + ",r=8,p=1",
        ):  # fmt: skip
            with self.subTest(params[:40]), self.assertRaises(UnsafeDerivation):
                kdf.derive(secret, "scrypt", params, salt)
        for name in ("argon2id", "none", "pbkdf2", ""):
            with self.assertRaises(UnsafeDerivation):
                kdf.derive(secret, name, "n=32768,r=8,p=1", salt)
        for length in (0, 15, 33):
            with self.assertRaises(UnsafeDerivation):
                kdf.derive(secret, "scrypt", "n=32768,r=8,p=1", bytes(length))

    def test_the_ceiling_fits_the_memory_that_openssl_is_given(self) -> None:
        key = kdf.derive(SharedSecret(b"correct horse"), "scrypt", "n=131072,r=8,p=5", bytes(32))
        self.assertEqual(len(key), 32)


if __name__ == "__main__":
    unittest.main()
