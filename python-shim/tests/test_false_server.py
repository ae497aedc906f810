"""Something else at the socket's path: nothing that matters is sent to it, and it costs little."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from harness import Case, FalseServer, frame, reply
from false_server import (
    FOREIGN,
    PARAMS,
    SALT,
    SECRET,
    Knowing,
    challenge,
    everything,
    refuse,
    registered,
    resume_token,
    saying,
    session_token,
)
from claude_ipc import connect, connection, errors, front, kdf, proof
from claude_ipc.secret import SharedSecret

class FalseServers(Case):
    fresh_home = True

    def setUp(self) -> None:
        super().setUp()
        self.home.put("secret", SECRET)

    def meet(self, answer, error: type, words: str = "") -> FalseServer:
        """A client meets the server, and must stop with ``error``."""
        path = os.path.join(self.home.data, "ipc.sock")
        if os.path.exists(path):
            os.unlink(path)
        server = FalseServer(path, answer)
        client = self.client()
        begun = time.monotonic()
        with self.assertRaises(error) as caught:
            client.register("alice")
        self.assertLess(time.monotonic() - begun, 20)
        self.assertIn(words, caught.exception.message)
        self.assertEqual(caught.exception.exit_status, 3)
        self.assertTrue(caught.exception.hint)
        server.end()
        kept = os.path.join(self.home.data, "agents", "alice.json")
        self.assertFalse(os.path.exists(kept), "nothing is kept of a false server")
        self.assertNotIn(b"canary", server.raw)
        return server

    def assert_only_hello(self, answer, error: type, words: str = "") -> None:
        server = self.meet(answer, error, words)
        self.assertEqual(set(server.methods()), {"hello"})
        self.assertNotIn(b"proof", server.raw)

    def test_another_version_hears_no_proof(self) -> None:
        for version in (2, True, "1", None, 1.0):
            with self.subTest(version):
                self.assert_only_hello(
                    lambda hello, _: reply(hello, challenge(v=version)),
                    errors.OtherVersion,
                    "another version",
                )

    def test_a_cheap_or_endless_derivation_hears_no_proof(self) -> None:
        for change in (
            {"params": "n=16384,r=8,p=1"}, {"params": "n=262144,r=8,p=1"}, {"params": "N=1024,r=8,p=1"},
            {"params": "n=32768,r=8,p=6"}, {"params": "n=32768,r=4,p=1"}, {"params": ""}, {"salt": ""},
            {"params": "n=32768,r=8,p=1048576"}, {"kdf": "none", "params": "", "salt": ""},
            {"kdf": "argon2id", "params": "m=19456,t=2,p=1"}, {"salt": "A" * 20}, {"salt": "A" * 44},
        ):  # fmt: skip
            with self.subTest(change):
                self.assert_only_hello(
                    lambda hello, _: reply(hello, challenge(**change)), errors.UnsafeDerivation, "safe bounds"
                )

    def test_a_server_that_sees_another_process_or_user_hears_no_proof(self) -> None:
        uid, pid = os.geteuid(), os.getpid()
        for change in (
            {"peer": {"uid": uid, "pid": pid + 1}}, {"peer": {"uid": uid + 1, "pid": pid}}, {"suid": uid + 1},
        ):  # fmt: skip
            with self.subTest(change):
                self.assert_only_hello(
                    lambda hello, _: reply(hello, challenge(**change)), errors.WrongPeer, "another process"
                )

    def test_a_server_that_closes_at_once_is_given_up_on(self) -> None:
        server = self.meet(lambda _call, _number: None, errors.ConnectionLost)
        self.assertEqual(server.methods(), ["hello"] * 4, "a few times, not for ever")

    def test_nonsense_is_not_of_this_protocol(self) -> None:
        deep = b'{"id":1,"result":' + b"[" * 1_000 + b"]" * 1_000 + b"}"
        for nonsense in (
            b"HTTP/1.1 200 OK\r\n\r\n", frame(b"{}"), frame(b"\xff\xfe not json"), bytes(4), b"\xff" * 64,
            (4_097).to_bytes(4, "big"), frame(deep), frame(b'{"id":1,"id":1,"result":{}}'),
            frame(b'{"id":77,"result":{}}'), frame(b'{"id":1,"result":{"v":1,"v":1}}'),
        ):  # fmt: skip
            with self.subTest(nonsense[:40]):
                self.assert_only_hello(lambda _call, _number: nonsense, errors.ProtocolError)
        for change in ({"sn": "A" * 42}, {"dep": None}, {"kid": 1}, {"salt": "A!"}, {"peer": 1}, {"suid": -1}):
            with self.subTest(change):
                self.assert_only_hello(
                    lambda hello, _: reply(hello, challenge(**change)), errors.ProtocolError
                )

    def test_a_byte_at_a_time_comes_together(self) -> None:
        def answer(hello: dict, _number: int) -> list:
            return [bytes([byte]) for byte in reply(hello, challenge(v=2))]

        self.assert_only_hello(answer, errors.OtherVersion)

    def test_a_byte_now_and_then_does_not_hold_anybody_up(self) -> None:
        def answer(_call: dict, _number: int) -> list:
            class Slow(list):
                def __iter__(self):
                    while True:
                        yield b"\x00\x00\x0f\xff" if not self else b" "
                        self.append(1)
                        time.sleep(0.05)  # how slow the server is, not something that is waited for

            return Slow()

        with mock.patch.object(connection, "PATIENCE_S", 0.5):
            self.assert_only_hello(answer, errors.TimedOut)

    def test_a_server_that_never_answers_is_given_up_on(self) -> None:
        with mock.patch.object(connection, "PATIENCE_S", 0.3):
            self.assert_only_hello(lambda _call, _number: b"", errors.TimedOut, "did not answer")

    def test_a_server_that_takes_no_connection_is_given_up_on(self) -> None:
        import socket

        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(self.home.data, "ipc.sock"))
            listener.listen(0)
            with socket.socket(socket.AF_UNIX) as first:
                first.connect(os.path.join(self.home.data, "ipc.sock"))
                with mock.patch.object(connect, "CONNECT_PATIENCE_S", 1.0), self.assertRaises(errors.Hung):
                    self.client().register("alice")

    def test_a_wrong_signature_is_the_end(self) -> None:
        def answer(call: dict, number: int) -> bytes:
            return reply(call, challenge() if number == 0 else {"sig": "A" * 43})

        server = self.meet(answer, errors.WrongSignature, "could not prove")
        self.assertEqual(server.methods(), ["hello", "authenticate"], "and no `register` after it")

    def test_a_signature_over_anything_else_is_none(self) -> None:
        uid, pid = os.geteuid(), os.getpid()
        for change in (
            {"deployment": b"\1" * 16}, {"server_nonce": b"\1" * 32}, {"client_nonce": b"\1" * 32},
            {"credential": "session"}, {"key_id": "k2"}, {"params": "n=65536,r=8,p=1"}, {"salt": b"\1" * 16},
            {"offered": ["argon2id", "scrypt"]}, {"peers": proof.Seen(uid, pid + 1, uid)},
        ):  # fmt: skip
            with self.subTest(change):
                server = self.meet(Knowing(None, change), errors.WrongSignature)
                self.assertEqual(server.methods(), ["hello", "authenticate"])

    def test_its_own_proof_as_an_echo_is_no_signature(self) -> None:
        def answer(call: dict, number: int) -> bytes:
            return reply(call, challenge() if number == 0 else {"sig": call["params"]["proof"]})

        self.assertEqual(self.meet(answer, errors.WrongSignature).methods(), ["hello", "authenticate"])

    def test_tokens_are_not_proved_with_a_derivation(self) -> None:
        name = "alice"
        with open(os.path.join(os.path.dirname(__file__), "auth_vectors.json"), encoding="utf-8") as file:
            session = next(v["text"] for v in json.load(file) if v["name"] == "token")
        from claude_ipc import handshake
        from claude_ipc.tokens import Token

        attempt = handshake.Handshake(Token(session), bytes(32))
        seen = proof.Seen(os.geteuid(), os.getpid(), os.geteuid())
        bare = {"kdf": "none", "params": "", "salt": ""}
        attempt.answer(challenge(**bare), seen, False)
        for change in ({"kdf": "scrypt"}, {**bare, "params": PARAMS}, {**bare, "salt": "A" * 22}):
            with self.subTest(change), self.assertRaises(errors.UnsafeDerivation):
                attempt.answer(challenge(**change), seen, False)
        self.assertNotIn(session[30:], repr(attempt), name)

    def test_replies_after_an_honest_proof_are_bounded_and_checked_too(self) -> None:
        """A server that does know the secret, and lies afterwards."""
        for lie, error in (
            (lambda call: (2 * 1_024 * 1_024 + 1).to_bytes(4, "big"), errors.ProtocolError),
            (lambda call: frame(b'{"id":99,"result":{}}'), errors.ProtocolError),
            (lambda call: reply(call, {"agent_id": "x"}), errors.ProtocolError),
            (lambda call: reply(call, registered(name="eve\n")), errors.ProtocolError),
            (lambda call: reply(call, registered(session="ipcs_no")), errors.ProtocolError),
            (lambda call: None, errors.ConnectionLost),
        ):
            with self.subTest(error):
                self.meet(Knowing(lie), error)

    def test_a_refusal_before_the_proof_is_reported_and_nothing_follows(self) -> None:
        for said, error in (
            ({"code": "rate_limited", "retry_after_ms": 6_000}, errors.RateLimited),
            ({"code": "unsupported_version"}, errors.UnsupportedVersion),
            ({"code": "a_code_of_a_newer_daemon"}, errors.Refused),
            ({"code": "busy", "retry_after_ms": 10**19}, errors.Busy),
        ):
            for number in (1, None):
                with self.subTest(said, number=number):
                    path = os.path.join(self.home.data, "ipc.sock")
                    server = FalseServer(path, lambda _call, _number: refuse(number, said))
                    with self.assertRaises(error) as caught:
                        self.client().register("alice")
                    server.end()
                    os.unlink(path)
                    self.assertEqual(server.methods(), ["hello"])
                    self.assertIs(type(caught.exception), error)
                    self.assertEqual(caught.exception.retry_after_ms, said.get("retry_after_ms"))
        self.assertIn("ipc --version", errors.UnsupportedVersion("x").hint)

    def test_a_server_that_is_busy_without_end_is_given_up_on(self) -> None:
        path = os.path.join(self.home.data, "ipc.sock")
        server = FalseServer(path, lambda _call, _number: refuse(1, {"code": "busy"}))
        with mock.patch.object(front, "BUSY_PATIENCE_S", 0.5), self.assertRaises(errors.Busy):
            self.client().register("alice")
        server.end()
        self.assertEqual(set(server.methods()), {"hello"})

    def test_tokens_that_a_server_calls_stale_are_proved_and_never_sent(self) -> None:
        with open(os.path.join(os.path.dirname(__file__), "auth_vectors.json"), encoding="utf-8") as file:
            session = next(v["text"] for v in json.load(file) if v["name"] == "token")
        resume = resume_token()
        kept = {
            "agent_id": "a.0000000000002", "name": "alice", "resume": resume,
            "session": {"token": session, "abs_expires_ms": 10**13}, "host": None,
        }  # fmt: skip
        self.home.put("agents/alice.json", json.dumps(kept).encode())
        bare = {"kdf": "none", "params": "", "salt": ""}
        for code in ("unauthenticated", "expired", "taken_over"):
            for after in (0, 1):
                path = os.path.join(self.home.data, "ipc.sock")

                def answer(call: dict, number: int) -> bytes:
                    said = refuse(call["id"], {"code": code})
                    return said if number == after else reply(call, challenge(**bare))

                server = FalseServer(path, answer)
                with self.subTest(code, after=after), self.assertRaises(errors.BY_CODE[code]) as caught:
                    self.client("alice").check()
                server.end()
                os.unlink(path)
                self.assertIn("`ipc register alice", caught.exception.hint)
                self.assertLessEqual(set(server.methods()), {"hello", "authenticate"})
                for token in (session, resume):
                    self.assertNotIn(token[27:60].encode(), server.raw)
                self.assertEqual(self.home.agent_file("alice"), kept, "nothing was thrown away")

    def test_fields_of_a_newer_daemon_are_passed_over(self) -> None:
        newer = {"shiny": {"a": [1]}, "resume": resume_token(), "session": session_token()}
        path = os.path.join(self.home.data, "ipc.sock")
        server = FalseServer(path, Knowing(lambda call: reply(call, registered(**newer)), more={"new": 1}))
        alice = self.client()
        self.assertEqual(alice.register("alice").name, "alice")
        alice._pool.clear()
        server.end()

    def test_no_error_holds_what_a_server_said_or_a_file_of_credentials_holds(self) -> None:
        said = frame(b'{"id":1,"result":{"session":"canary-in-a-reply",}}')
        path = os.path.join(self.home.data, "ipc.sock")
        server = FalseServer(path, lambda _call, _number: said)
        with self.assertRaises(errors.ProtocolError) as caught:
            self.client().register("alice")
        server.end()
        self.assertNotIn("canary", everything(caught.exception))
        self.home.put("agents/alice.json", b'{"resume":"canary-in-a-file",}')
        with self.assertRaises(errors.FileNotTrusted) as caught:
            self.client("alice").check()
        self.assertNotIn("canary", everything(caught.exception))

    def test_a_kernel_that_does_not_say_who_listens_is_an_error(self) -> None:
        path = os.path.join(self.home.data, "ipc.sock")
        server = FalseServer(path, lambda _call, _number: None)
        for peer in (OSError(22, "Invalid argument"), b"", connect._UCRED.pack(0, 2**32 - 1, 2**32 - 1)):
            with mock.patch.object(connect.socket, "socket", saying(peer)):
                with self.assertRaises(errors.Unreachable) as caught:
                    self.client().register("alice")
            self.assertIn("does not say who listens", caught.exception.message)
        server.end()
        self.assertEqual(server.raw, b"")

    def test_an_error_text_of_a_server_is_escaped_for_the_terminal(self) -> None:
        said = {"message": "x\x1b[2Jy", "data": {"code": "busy\n", "hint": "\u202eh"}}
        answer = lambda call, _: frame(json.dumps({"id": call["id"], "error": said}).encode())  # noqa: E731
        server = FalseServer(os.path.join(self.home.data, "ipc.sock"), answer)
        done = self.home.run(sys.executable, "-m", "claude_ipc", "register", "alice")
        server.end()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "error: x\\x1b[2Jy\nhint: ⟨U+202E⟩h\n")

    def test_another_user_is_sent_not_one_byte(self) -> None:
        with tempfile.TemporaryDirectory(prefix="ipc-", dir="/tmp") as room:
            os.chmod(room, 0o777)
            path = os.path.join(room, "ipc.sock")
            os.environ["IPC_SOCKET"] = path
            if os.geteuid() != 0:
                # Only root can make a process of another user; for everybody else the answer of the
                # kernel is put in its place.
                server = FalseServer(path, lambda _call, _number: None)
                other = connect._UCRED.pack(1, os.geteuid() + 1, 0)
                with mock.patch.object(connect.socket, "socket", saying(other)):
                    with self.assertRaises(errors.ForeignServer):
                        self.client().register("alice")
                server.end()
                self.assertEqual(server.raw, b"")
                return
            with subprocess.Popen(
                [sys.executable, "-c", FOREIGN, path], stdout=subprocess.PIPE, text=True
            ) as server:
                self.assertEqual(server.stdout.readline(), "listening\n")
                with self.assertRaises(errors.ForeignServer) as caught:
                    self.client().register("alice")
                self.assertIn("belongs to user 65534", caught.exception.message)
                self.assertEqual(server.stdout.readline(), "0\n", "bytes that it received")


class WithoutScrypt(Case):
    fresh_home = True

    def test_a_python_without_scrypt_says_so_before_a_word_is_sent(self) -> None:
        self.home.put("secret", SECRET)
        server = FalseServer(os.path.join(self.home.data, "ipc.sock"), lambda *_: None)
        with mock.patch.object(kdf, "hashlib", object()), self.assertRaises(errors.NoScrypt) as caught:
            self.client().register("alice")
        server.end()
        self.assertEqual(server.raw, b"")
        self.assertEqual(caught.exception.exit_status, 2)
        self.assertIn("ipc register", caught.exception.hint)

    def test_an_openssl_that_refuses_scrypt_is_the_same_error(self) -> None:
        refusing = mock.Mock(scrypt=mock.Mock(side_effect=ValueError("unsupported")))
        with mock.patch.object(kdf, "hashlib", refusing), self.assertRaises(errors.NoScrypt):
            kdf.derive(SharedSecret(SECRET), "scrypt", PARAMS, SALT)

    def test_an_agent_that_ipc_enrolled_needs_no_scrypt(self) -> None:
        self.home.ipc("register", "alice")
        with mock.patch.object(kdf, "hashlib", object()):
            self.assertEqual(self.client("alice").whoami().name, "alice")
            kept = self.home.agent_file("alice")
            self.home.put("agents/alice.json", json.dumps({**kept, "session": None}).encode())
            self.assertEqual(self.client("alice").whoami().name, "alice", "by the resume credential")


if __name__ == "__main__":
    unittest.main()
