"""Every method, against the real daemon."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

from harness import PYTHON, Case
from claude_ipc import Client, errors, kdf
from claude_ipc.reader import Reader


class Methods(Case):
    def test_a_message_arrives_with_all_that_was_said(self) -> None:
        ann, ben = self.agent("ann"), self.agent("ben")
        sent = ann.send("ben", "which port?\n\x1b[31m ä", data={"n": [1, 2.5, None]}, kind="request")
        self.assertEqual([(o.name, o.type) for o in sent.recipients], [("ben", "stored")])
        (got,) = ben.check()
        self.assertEqual((got.id, got.text, got.data), (sent.message_id, "which port?\n\x1b[31m ä", {"n": [1, 2.5, None]}))
        self.assertEqual((got.sender_name, got.to, got.kind, got.redelivered), ("ann", "ben", "request", False))
        self.assertEqual((got.provenance.uid, got.provenance.pid), (os.geteuid(), os.getpid()))
        self.assertEqual((got.sender.agent_id, got.sent_ms), (ann.agent_id, sent.sent_ms))
        self.assertEqual(ben.check(), [])

    def test_receipts_say_that_the_shim_handed_it_over_and_that_it_was_answered(self) -> None:
        ann, ben = self.agent("ann-r"), self.agent("ben-r")
        first = ann.send("ben-r", "8080?", kind="request").message_id
        self.assertEqual(ann.receipts(first)[0].deliveries[0].state, "stored")
        ben.check()
        (delivery,) = ann.receipts(first)[0].deliveries
        self.assertEqual((delivery.state, delivery.handover, delivery.offers), ("delivered", "shim", 1))
        ben.reply("yes")
        (answer,) = ann.check()
        self.assertEqual((answer.text, answer.reply_to, answer.kind), ("yes", first, "response"))
        self.assertEqual(ann.receipts(limit=1)[0].deliveries[0].state, "answered")

    def test_broadcast_reaches_everybody_and_forward_passes_on(self) -> None:
        ann, ben, cy = self.agent("ann-b"), self.agent("ben-b"), self.agent("cy-b")
        self.assertGreaterEqual(len(ann.broadcast("fire").recipients), 2)
        (got,) = ben.check()
        self.assertEqual((got.kind, got.text), ("broadcast", "fire"))
        cy.check()
        ben.forward("cy-b")
        self.assertEqual([(m.text, m.hops) for m in cy.check()], [("fire", 1)])

    def test_mail_to_nobody_is_kept_and_known_only_refuses_it(self) -> None:
        ann = self.agent("ann-u")
        (outcome,) = ann.send("bernd-u", "later").recipients
        self.assertEqual((outcome.type, outcome.name), ("unclaimed", "bernd-u"))
        with self.assertRaises(errors.UnknownRecipient) as caught:
            ann.send("carla-u", "x", known_only=True)
        self.assertEqual((caught.exception.code, caught.exception.exit_status), ("unknown_recipient", 1))
        self.assertEqual([m.text for m in self.agent("bernd-u").check()], ["later"])
        self.assertEqual(ann.dead_letters(), [])

    def test_a_large_message_is_previewed_and_read_whole(self) -> None:
        ann, ben = self.agent("ann-l"), self.agent("ben-l")
        text = "äöü" * 100_000
        sent = ann.send("ben-l", text, data={"k": "v"})
        (got,) = ben.check()
        self.assertTrue(got.truncated and text.startswith(got.text))
        whole = ben.read(got.id)
        self.assertEqual((whole.text, whole.truncated, whole.bytes), (text, False, len(text.encode())))
        self.assertEqual((whole.data, ann.read(sent.message_id).text), ({"k": "v"}, text))
        with self.assertRaises(errors.TooLarge):
            ann.send("ben-l", "x" * 1_048_577)
        with self.assertRaises(errors.TooLarge):
            ann.send("ben-l", "x" * 3_000_000)
        with self.assertRaises(errors.NotFound):
            ben.read("m.0000000000000")

    def test_rename_moves_the_agent_and_its_mail_follows(self) -> None:
        ann, ben = self.agent("ann-n"), self.agent("ben-n")
        done = ben.rename("Ben-2")
        self.assertEqual((done.old_name, done.name, ben.name), ("ben-n", "Ben-2", "Ben-2"))
        (outcome,) = ann.send("ben-n", "hi").recipients
        self.assertEqual((outcome.type, outcome.name, outcome.former), ("forwarded", "Ben-2", "ben-n"))
        self.assertEqual([m.via_alias for m in ben.check()], ["ben-n"])
        self.assertEqual(self.home.agent_file("ben-n"), {"moved_to": "Ben-2"})
        self.assertEqual(self.home.agent_file("ben-2")["name"], "Ben-2")
        with self.assertRaises(errors.RateLimited) as caught:
            ben.rename("ben-3")
        self.assertGreater(caught.exception.retry_after_ms, 1_000_000)
        (notice,) = [m for m in ann.check() if m.event]
        self.assertIsNone(notice.sender)
        self.assertEqual(notice.sentence(), "ben-n is called Ben-2 now; mail to ben-n is forwarded for 2 hours")

    def test_a_name_may_change_its_case(self) -> None:
        ann = self.agent("ann-case")
        self.assertIsNone(ann.rename("ANN-case").forwards_until_ms)
        self.assertEqual((ann.whoami().name, self.home.agent_file("ann-case")["name"]), ("ANN-case",) * 2)

    def test_who_is_here_and_how_the_daemon_is(self) -> None:
        ann = self.agent("ann-w")
        me = ann.whoami()
        self.assertEqual((me.name, me.agent_id, me.waiting), ("ann-w", ann.agent_id, 0))
        self.assertIn(("ann-w", "live", True), [(a.name, a.presence, a.is_self) for a in ann.list()])
        now = ann.status()
        self.assertEqual((now.protocol, now.enrolment), (1, "open"))
        self.assertIn("counters", now.all)
        ann.offline()

    def test_whoever_is_frozen_is_told_so(self) -> None:
        ann = self.agent("ann-f")
        self.assertEqual((ann.whoami().frozen, ann.status().frozen.you), (None, None))
        self.home.ipc("admin", "freeze", "ann-f")
        frozen = ann.whoami().frozen
        self.assertEqual(frozen and frozen.whom, "agent")
        self.assertEqual((ann.status().frozen.agents, ann.status().frozen.you), (1, frozen))
        with self.assertRaises(errors.Frozen):
            ann.check()
        self.home.ipc("admin", "thaw", "ann-f")
        self.assertEqual(ann.check(), [])

    def test_auto_check_is_started_shown_and_stopped(self) -> None:
        ann = self.agent("ann-a")
        self.assertEqual((ann.auto_check().mode, ann.auto_check("start", 7).minutes), ("arrival", 7))
        self.assertEqual(ann.auto_check("status").mode, "every")
        self.assertEqual(ann.auto_check("stop").mode, "off")
        for wrong in (("start", 0), ("start", 61), ("start", None), ("stop", 1), ("dance", None)):
            with self.assertRaises(errors.Malformed):
                ann.auto_check(*wrong)

    def test_an_idempotency_key_stores_once(self) -> None:
        ann, ben = self.agent("ann-i"), self.agent("ben-i")
        one = ann.send("ben-i", "once", idempotency_key="k-1")
        two = ann.send("ben-i", "once", idempotency_key="k-1")
        self.assertEqual((one.message_id, one.duplicate, two.duplicate), (two.message_id, False, True))
        with self.assertRaises(errors.Conflict):
            ann.send("ben-i", "twice", idempotency_key="k-1")
        self.assertEqual(len(ben.check()), 1)

    def test_unregister_gives_the_name_up_and_forgets_it(self) -> None:
        ann, ben = self.agent("ann-x"), self.agent("ben-x")
        sent = ann.send("ben-x", "late")
        self.assertEqual(ben.unregister(), 1)
        self.assertFalse(os.path.exists(os.path.join(self.home.data, "agents", "ben-x.json")))
        (letter,) = ann.dead_letters()
        self.assertEqual((letter.message_id, letter.state, letter.reason), (sent.message_id, "refused", "recipient_left"))
        self.assertIn("will not be delivered: the recipient gave its name up", ann.check()[0].sentence())
        with self.assertRaises(errors.NoMailbox):
            ben.check()

    def test_what_cannot_be_right_is_refused_here(self) -> None:
        ann = self.agent("ann-z")
        for wrong in (
            lambda: ann.send("a b", "x"), lambda: ann.send("root", "x"), lambda: ann.read("m.1"),
            lambda: ann.check(wait=-1), lambda: ann.check(wait=float("nan")), lambda: ann.listen(print, float("nan")),
            lambda: ann.reply("x", "m.1"), lambda: ann.register("eve\n"), lambda: Client("../x"),
            lambda: ann.send("bob", "x", data={"a": float("nan")}), lambda: ann.send("bob", "\ud800"),
        ):  # fmt: skip
            with self.assertRaises(errors.UsageError):
                wrong()
        ann.close()
        with self.assertRaises(errors.UsageError):
            ann.check()


class Receiving(Case):
    def test_a_wait_ends_when_mail_comes_or_its_time_is_over(self) -> None:
        ann, ben = self.agent("ann"), self.agent("ben")
        sender = threading.Timer(0.2, lambda: ann.send("ben", "now"))
        sender.start()
        self.assertEqual([m.text for m in ben.check(wait=60)], ["now"])
        sender.join()
        begun = time.monotonic()
        self.assertEqual(ben.check(wait=0.3), [])
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)

    def test_a_peek_takes_nothing(self) -> None:
        ann, ben = self.agent("ann-p"), self.agent("ben-p")
        sent = ann.send("ben-p", "look")
        self.assertEqual([m.text for m in ben.check(peek=True)], ["look"])
        self.assertEqual(ann.receipts(sent.message_id)[0].deliveries[0].state, "stored")
        self.assertEqual([m.text for m in ben.check()], ["look"])

    def test_a_block_that_ends_well_acknowledges_and_one_that_fails_gives_back(self) -> None:
        ann, ben = self.agent("ann-q"), self.agent("ben-q")
        sent = ann.send("ben-q", "work")
        with self.assertRaises(ZeroDivisionError), ben.receiving() as found:
            self.assertEqual(len(found), 1)
            1 / 0
        with ben.receiving() as found:
            self.assertEqual([(m.text, m.redelivered) for m in found], [("work", True)])
            self.assertEqual(ann.receipts(sent.message_id)[0].deliveries[0].state, "offered")
        self.assertEqual(ann.receipts(sent.message_id)[0].deliveries[0].state, "delivered")

    def test_only_answers_can_be_waited_for(self) -> None:
        ann, ben = self.agent("ann-o"), self.agent("ben-o")
        asked = ann.send("ben-o", "port?", kind="request").message_id
        ben.check()
        ben.send("ann-o", "by the way")
        ben.reply("8080")
        with ann.receiving(wait=10, answers_to=asked) as found:
            self.assertEqual([m.text for m in found], ["8080"])
        self.assertEqual([m.text for m in ann.check()], ["by the way"])

    def test_listening_acknowledges_after_the_callback_returned(self) -> None:
        ann, ben = self.agent("ann-c"), self.agent("ben-c")
        ids = [ann.send("ben-c", text).message_id for text in ("one", "two", "end")]
        states = []

        def heard(message):
            states.append(ann.receipts(message.id)[0].deliveries[0].state)
            return message.text != "end"

        self.assertEqual(ben.listen(heard), 3)
        self.assertEqual(states, ["offered"] * 3)
        self.assertEqual([ann.receipts(i)[0].deliveries[0].state for i in ids], ["delivered"] * 3)
        self.assertEqual(ben.listen(heard, timeout=0.2), 0)

    def test_a_callback_that_raises_gives_its_message_back_and_no_other(self) -> None:
        ann, ben = self.agent("ann-e"), self.agent("ben-e")
        for text in ("good", "bad", "later"):
            ann.send("ben-e", text)

        def heard(message):
            if message.text == "bad":
                raise ValueError(message.id)

        with self.assertRaises(ValueError):
            ben.listen(heard)
        self.assertEqual([(m.text, m.redelivered) for m in ben.check()], [("bad", True), ("later", False)])

    def test_an_interrupt_ends_a_wait_and_takes_nothing(self) -> None:
        script = (
            "import claude_ipc\n"
            "with claude_ipc.Client('ben-k') as c:\n"
            "    c.whoami()\n"
            "    try: print('waiting', flush=True); c.check(wait=600)\n"
            "    except KeyboardInterrupt: print(len(c.check(peek=True)), flush=True)\n"
        )
        self.agent("ben-k")
        with subprocess.Popen([PYTHON, "-c", script], stdout=subprocess.PIPE, text=True) as waiting:
            self.assertEqual(waiting.stdout.readline(), "waiting\n")
            waiting.send_signal(signal.SIGINT)
            self.assertEqual(waiting.stdout.readline(), "0\n")


class Safety(Case):
    def test_nothing_shows_a_secret(self) -> None:
        from claude_ipc import AsyncClient, agent_files, front

        os.environ["IPC_SHARED_SECRET"] = ""
        ann = self.agent("ann")
        with open(os.path.join(self.home.data, "secret"), encoding="utf-8") as file:
            secret = file.read().strip()
        kept = self.home.agent_file("ann")
        hidden = [secret, kept["resume"][27:], kept["session"]["token"][27:]]
        record = agent_files.AgentFiles(ann.places).follow("ann")
        connection = ann._pool.take()
        opened = front.Opened("a", "b", connection)
        shown = [
            ann, ann._pool, ann.places, ann.places.find_secret(), record, record.resume, opened, connection,
            connection._wire, AsyncClient(), ann.whoami(), ann.status(), vars(ann.places),
        ]  # fmt: skip
        for thing in shown:
            for secret in hidden:
                self.assertNotIn(secret, repr(thing))
                self.assertNotIn(secret, str(thing))
        import copy
        import pickle

        for thing in (record.resume, ann.places.find_secret()):
            for copied in (pickle.dumps, copy.copy):
                with self.assertRaises(TypeError):
                    copied(thing)
        ann._pool.give(connection)

    def test_a_token_in_a_message_is_refused(self) -> None:
        ann = self.agent("ann-t")
        with self.assertRaises(errors.Forbidden):
            ann.send("ben", "here: " + self.home.agent_file("ann-t")["resume"])

    def test_threads_share_a_client(self) -> None:
        ann, ben = self.agent("ann-th"), self.agent("ben-th")
        threads = [threading.Thread(target=ann.send, args=("ben-th", str(n))) for n in range(8)]
        waited: list = []
        waiter = threading.Thread(target=lambda: waited.extend(ben.check(wait=30)))
        for thread in [waiter, *threads]:
            thread.start()
        for thread in [*threads, waiter]:
            thread.join(60)
        found = [m.text for m in [*waited, *ben.check()]]
        self.assertEqual(sorted(found), [str(n) for n in range(8)])

    def test_a_child_process_opens_a_connection_of_its_own(self) -> None:
        ann = self.agent("ann-f")
        child = os.fork()
        if child == 0:
            is_right = False
            try:
                ann.send("ben-f", "from the child")
                is_right = True
            finally:
                os._exit(0 if is_right else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        ann.send("ben-f", "from the parent")
        got = self.agent("ben-f").check()
        self.assertEqual([m.provenance.pid for m in got], [child, os.getpid()])

    def test_the_offer_is_scrypt_alone(self) -> None:
        self.assertEqual(kdf.OFFERED, ("scrypt",))

    def test_a_daemon_whose_pages_do_not_end_is_given_up_on(self) -> None:
        ann = self.agent("ann-y")
        page = {"message": {
            "id": "m.0000000000002", "from": None, "to": None, "kind": "system", "text": "x" * 1_000, "bytes": 1,
            "truncated": True, "data_omitted": False, "hops": 0, "sent_ms": 1, "redelivered": False,
        }}  # fmt: skip
        for following in (lambda offset: offset, lambda offset: offset + 1):
            def call(_method, params, again=True):
                return Reader({**page, "next_offset": following(params["offset"])})

            with mock.patch.object(ann, "_call", call), self.assertRaises(errors.ProtocolError):
                ann.read("m.0000000000002")


if __name__ == "__main__":
    unittest.main()
