"""Asking and answering, pings, and mail of one sender or kind, against the real daemon."""

import asyncio
import threading
import unittest

from harness import Case
from claude_ipc import AsyncClient, errors


class Asking(Case):
    def in_background(self, work, *arguments) -> threading.Thread:
        """Starts ``work``; the test waits for its end."""
        thread = threading.Thread(target=work, args=arguments)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def test_a_question_is_answered_bit_by_bit_and_the_wait_ends_with_the_last(self) -> None:
        ann, ben, cy = self.agent("ann"), self.agent("ben"), self.agent("cy")
        cy.send("ann", "something else")

        def answer() -> None:
            (question,) = ben.check(wait=60)
            ben.reply("counting", question.id, final=False)
            ben.reply("three days", question.id)

        self.in_background(answer)
        heard: list = []
        asked = ann.ask("ben", "how long?", heard=heard.append)
        self.assertEqual([(m.text, m.interim) for m in asked.answers], [("counting", True), ("three days", False)])
        self.assertEqual((asked.ended, [m.text for m in asked.final]), ("answered", ["three days"]))
        self.assertEqual(heard, asked.answers)
        self.assertEqual([m.text for m in ann.check()], ["something else"])
        (delivery,) = ann.receipts(asked.message_id)[0].deliveries
        self.assertEqual(delivery.answered_by, asked.final[0].id)

    def test_a_wait_says_whether_time_ended_it_or_the_other_side(self) -> None:
        ann, ben = self.agent("ann-w"), self.agent("ben-w")
        asked = ann.ask("ben-w", "anybody?", wait=0.05)
        self.assertEqual((asked.ended, asked.answers), ("timed_out", []))
        ben.check()
        ben.reply("late", asked.message_id)
        self.assertEqual([m.text for m in ann.answers(asked.message_id).answers], ["late"])

        def leave() -> None:
            ben.check(wait=60)
            ben.unregister()

        self.in_background(leave)
        self.assertEqual(ann.ask("ben-w", "are you there?").ended, "recipient_gone")

    def test_answers_are_given_back_when_whoever_hears_them_fails(self) -> None:
        ann, ben = self.agent("ann-g"), self.agent("ben-g")
        asked = ann.send("ben-g", "port?", kind="request").message_id
        ben.check()
        ben.reply("8080")
        with self.assertRaises(ZeroDivisionError):
            ann.answers(asked, 60, lambda _: 1 / 0)
        self.assertEqual([(m.text, m.redelivered) for m in ann.check()], [("8080", True)])

    def test_a_question_outlives_a_restart_of_the_daemon(self) -> None:
        ann, ben = self.agent("ann-r"), self.agent("ben-r")

        def answer() -> None:
            ben.check(wait=60)
            self.home.ipc("daemon", "restart")
            ben.reply("after the restart")

        self.in_background(answer)
        asked = ann.ask("ben-r", "still there?")
        self.assertEqual(([m.text for m in asked.answers], asked.ended), (["after the restart"], "answered"))

    def test_what_cannot_be_asked_is_refused_before_anything_is_sent(self) -> None:
        ann, ben = self.agent("ann-z"), self.agent("ben-z")
        for wrong in (lambda: ann.ask("ben-z", "x", wait=-1), lambda: ann.answers("m.1"), lambda: ann.ask("a b", "x")):
            with self.assertRaises(errors.UsageError):
                wrong()
        with self.assertRaises(errors.UnknownRecipient):
            ann.ask("nobody-z", "x", known_only=True)
        self.assertEqual(ben.check(), [])

    def test_asyncio_asks_too_and_gives_back_when_it_is_cancelled(self) -> None:
        ann, ben = self.agent("ann-y"), self.agent("ben-y")

        async def main() -> None:
            async with AsyncClient("ann-y") as asking, AsyncClient("ben-y") as answering:
                came = asyncio.Event()

                async def heard(_message) -> None:
                    came.set()

                wait = asyncio.create_task(asking.ask("ben-y", "which?", heard=heard))
                await answering.check(wait=60)
                await answering.reply("wait a bit", final=False)
                await came.wait()
                wait.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await wait
                wait = asyncio.create_task(asking.ask("ben-y", "and now?"))
                await answering.check(wait=60)
                await answering.reply("this one")
                self.assertEqual([m.text for m in (await wait).answers], ["this one"])

        asyncio.run(main())
        self.assertEqual([(m.text, m.redelivered) for m in ann.check()], [("wait a bit", True)])
        self.assertEqual(ben.check(), [])


class Kinds(Case):
    def test_a_ping_is_answered_by_whoever_waits_and_shown_to_nobody(self) -> None:
        ann, ben = self.agent("ann"), self.agent("ben")
        got: list = []
        waiting = threading.Thread(target=lambda: got.extend(ben.check(wait=60)))
        waiting.start()
        asked = ann.ask("ben", "ping", kind="ping")
        self.assertEqual(([m.kind for m in asked.answers], asked.ended), (["ack"], "answered"))
        ann.send("ben", "mail")
        waiting.join()
        self.assertEqual([m.text for m in got], ["mail"])
        # Nobody waits: nobody answers, and a reader sees nothing of it.
        self.assertEqual(ann.ask("ben", "ping", wait=0.05, kind="ping").ended, "timed_out")
        self.assertEqual(ben.check(), [])
        self.assertEqual([m.kind for m in ben.check(kind="ping")], ["ping"])

    def test_kinds_hang_together(self) -> None:
        ann, ben = self.agent("ann-k"), self.agent("ben-k")
        for kind in ("ack", "response", "task_accept"):
            with self.assertRaises(errors.Malformed):
                ann.send("ben-k", "x", kind=kind)
        proposed = ann.send("ben-k", "port the parser?", kind="task_proposal").message_id
        ben.check()
        ben.send("ann-k", "mine", kind="task_accept", reply_to=proposed)
        (accepted,) = ann.check(kind="task_accept")
        self.assertEqual((accepted.text, accepted.reply_to), ("mine", proposed))
        with self.assertRaises(errors.Conflict):
            ann.send("ben-k", "mine too", kind="task_accept", reply_to=accepted.id)

    def test_mail_of_one_sender_or_kind_is_taken_from_among_the_rest(self) -> None:
        ann, ben, cy = self.agent("ann-f"), self.agent("ben-f"), self.agent("cy-f")
        ben.send("ann-f", "from ben")
        asked = cy.send("ann-f", "from cy", kind="request")
        self.assertEqual([m.text for m in ann.check(sender="cy-f", peek=True)], ["from cy"])
        self.assertEqual([m.text for m in ann.check(sender=cy.agent_id, kind="message")], [])
        with ann.receiving(kind="request") as found:
            self.assertEqual([m.id for m in found], [asked.message_id])
        heard: list = []
        self.assertEqual(ann.listen(lambda m: heard.append(m.text) or False, sender="ben-f"), 1)
        self.assertEqual(heard, ["from ben"])
        for wrong, error in (
            ({"sender": "nobody-f"}, errors.UnknownRecipient),
            ({"kind": "molten"}, errors.Malformed),
            ({"conversation": "c.0000000000000"}, errors.NotFound),
            ({"conversation": "c.1"}, errors.UsageError),
            ({"sender": "a b"}, errors.UsageError),
        ):
            for wait in (0, 60):
                with self.assertRaises(error):
                    ann.check(wait, **wrong)


if __name__ == "__main__":
    unittest.main()
