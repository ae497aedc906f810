"""JSON, frames, names and harmless text: what a peer may send, and what of it is believed."""

import time
import unittest

from harness import SHIM  # noqa: F401
from claude_ipc import base64url, frames, names, processes, safe, strict_json
from claude_ipc.errors import InvalidNameHere, NoSecret, ProtocolError, UsageError
from claude_ipc.secret import SharedSecret
from claude_ipc.wire import Wire


class StrictJson(unittest.TestCase):
    def test_what_json_tolerates_is_refused(self) -> None:
        for payload in (
            b"", b"[]", b"1", b"null", b"{} {}", b'{"a":1,"a":2}', b'{"x":{"a":1,"\\u0061":2}}',
            b'{"a":' + b"[" * 16 + b"]" * 16 + b"}", b'{"a":' + b"9" * 100_000 + b"}",
            b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":"\\udc00x"}', b'{"a":1', b'{"a":NaN}',
            b'{"a":Infinity}', b'{"a":1e999}', b'\xef\xbb\xbf{}', b'{"a":"\n"}', b"{'a':1}",
        ):  # fmt: skip
            with self.subTest(payload[:40]), self.assertRaises(strict_json.NotStrict):
                strict_json.parse_object(payload, 16)

    def test_sixteen_levels_are_allowed_and_brackets_in_texts_do_not_count(self) -> None:
        deep = b'{"a":' + b"[" * 15 + b"]" * 15 + b"}"
        self.assertIn("a", strict_json.parse_object(deep, 16))
        text = b'{"a":"' + b"[{" * 50 + b'\\"' + b"[" * 50 + b'"}'
        self.assertEqual(len(strict_json.parse_object(text, 16)["a"]), 151)
        self.assertEqual(strict_json.parse_object(b'{"a":"\\ud83d\\ude00"}', 2)["a"], "\U0001f600")

    def test_bombs_cost_little(self) -> None:
        begun = time.monotonic()
        size = 2 * 1_024 * 1_024
        for bomb in (b"[" * size, b'{"a":' * (size // 5), b'"\\"' * (size // 3), b'{"a":"' + b'\\"' * (size // 2)):
            with self.assertRaises(strict_json.NotStrict):
                strict_json.parse_object(bomb, 24)
        self.assertLess(time.monotonic() - begun, 20)


class Frames(unittest.TestCase):
    def test_lengths_outside_the_cap_are_refused_before_the_payload_comes(self) -> None:
        for length in (0, 101, 2**32 - 1, int.from_bytes(b"GET ", "big")):
            decoder = frames.Decoder(100)
            decoder.push(length.to_bytes(4, "big"))
            with self.assertRaises(frames.BadLength):
                decoder.next_payload()

    def test_a_frame_split_at_every_byte_is_the_same_frame(self) -> None:
        stream = frames.encode(b'{"a":1}', 100) + frames.encode(b"[]", 100)
        for cut in range(len(stream) + 1):
            decoder, found = frames.Decoder(100), []
            for part in (stream[:cut], stream[cut:]):
                decoder.push(part)
                while (payload := decoder.next_payload()) is not None:
                    found.append(payload)
            self.assertEqual(found, [b'{"a":1}', b"[]"], cut)


class Replies(unittest.TestCase):
    def test_only_a_reply_to_the_last_call_counts(self) -> None:
        for payload in (
            b'{"id":2,"result":{}}', b'{"id":null,"result":{}}', b'{"id":true,"result":{}}',
            b'{"id":1}', b'{"id":1,"result":{},"error":{"message":"x","data":{"code":"busy"}}}',
            b'{"id":1,"result":[]}', b'{"id":1,"error":{"message":1,"data":{"code":"busy"}}}',
            b'{"id":1,"error":{"message":"x"}}', b'{"id":9,"error":{"message":"x","data":{"code":"busy"}}}',
            b'{"id":1,"error":{"message":"x","data":{"code":"busy","retry_after_ms":-1}}}', b"{}",
        ):  # fmt: skip
            wire = Wire()
            wire.call("status", {})
            wire.push(frames.encode(payload, 4_096))
            with self.subTest(payload), self.assertRaises(ProtocolError):
                wire.reply()

    def test_what_json_cannot_hold_is_not_sent(self) -> None:
        endless: dict = {}
        endless["a"] = endless
        for value in (float("nan"), "\ud800", object(), b"x", {1: 1, "1": 2}, endless, 10**30):
            with self.subTest(type(value)), self.assertRaises(UsageError):
                Wire().call("send", {"data": value})


class Words(unittest.TestCase):
    def test_a_name_is_right_as_a_whole(self) -> None:
        for name in ("a", "A-b_9", "x" * 32):
            self.assertEqual(names.parse_name(name), name)
        for name in ("", "x" * 33, "eve\n", "a b", "ä", "a.b", "System", "all", "../x", None, 1):
            with self.subTest(name), self.assertRaises(InvalidNameHere):
                names.parse_name(name)

    def test_an_id_has_one_spelling(self) -> None:
        self.assertTrue(names.is_message_id("m.0000000000002"))
        for text in ("m.0000000000001", "m.000000000000V", "a.0000000000002", "m.0", "m.0000000000002\n"):
            self.assertFalse(names.is_message_id(text), text)

    def test_base64url_has_one_spelling(self) -> None:
        self.assertEqual(base64url.decode("_-8"), b"\xff\xef")
        for text in ("_-9", "_-8=", "+/8", "A", "_-8\n", "é"):
            with self.subTest(text), self.assertRaises(ValueError):
                base64url.decode(text)

    def test_the_bounds_of_the_secret_are_8_and_1024_without_one_newline(self) -> None:
        self.assertEqual(SharedSecret(b"12345678\n").expose(), b"12345678")
        self.assertEqual(len(SharedSecret(b"x" * 1_024).expose()), 1_024)
        for raw in (b"1234567\n", b"1234\x005678", b"x" * 1_025, b""):
            with self.assertRaises(NoSecret):
                SharedSecret(raw)

    def test_hidden_characters_are_shown_and_ordinary_writing_stays(self) -> None:
        self.assertEqual(safe.line("\x1b]52;c;Z\x07\x9b2J\r"), "\\x1b]52;c;Z\\x07\\x9b2J\\x0d")
        self.assertEqual(safe.line("a\u202eb\U000e0041\u2028"), "a⟨U+202E⟩b⟨U+E0041⟩⟨U+2028⟩")
        self.assertEqual(safe.block("a\n\tb\x00"), "a\n\tb\\x00")
        self.assertEqual(safe.line("Grüße, 世界! 🎉 عربى"), "Grüße, 世界! 🎉 عربى")
        self.assertEqual(safe.indented("a\nFrom: b", "  "), "a\n  From: b")


class Processes(unittest.TestCase):
    STAT = b"42 (a) b (c) S 7 42 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0"

    def test_a_program_cannot_forge_its_fields_by_its_name(self) -> None:
        facts = processes.parse_stat(42, self.STAT)
        self.assertEqual(facts, processes.Facts(42, 7, 9, 12_345, False))
        self.assertTrue(processes.parse_stat(42, self.STAT.replace(b") S", b") Z")).ended)
        self.assertIsNone(processes.parse_stat(42, b"42 (x) S 7"))

    def test_the_first_process_is_an_ancestor_in_its_own_session_only(self) -> None:
        def above(session: int) -> list:
            def look(pid: int):
                return processes.Facts(pid, pid - 1, session, 100, False) if pid else None

            return [facts.pid for facts in processes.lineage(3, look)]

        self.assertEqual(above(1), [3, 2, 1])
        self.assertEqual(above(2), [3, 2])
        self.assertEqual(above(0), [3, 2])


if __name__ == "__main__":
    unittest.main()
