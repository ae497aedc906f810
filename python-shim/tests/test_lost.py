"""Connections that are lost at the worst moment, and a daemon that restarts: nothing is lost or doubled."""

import os
import threading
import unittest

from harness import Case, Relay
from claude_ipc import errors
from claude_ipc.waiting import Wait


class Lost(Case):
    fresh_home = True

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.ben = self.agent("ann"), self.agent("ben")
        self.cuts: list = []
        self.seen: list = []
        daemon = os.path.join(self.home.data, "ipc.sock")
        path = os.path.join(self.home.path, "relay")
        relay = Relay(path, daemon, self._cut)
        self.addCleanup(relay.end)
        os.environ["IPC_SOCKET"] = path
        self.through = self.client("ann")
        self.through.whoami()
        del os.environ["IPC_SOCKET"]

    def _cut(self, method: str, side: str) -> bool:
        self.seen.append((method, side))
        if (method, side) in self.cuts:
            self.cuts.remove((method, side))
            return True
        return False

    def test_a_send_is_made_once_more_and_stored_once(self) -> None:
        for side in ("call", "reply"):
            for method, work in (
                ("send", lambda: self.through.send("ben", "once")),
                ("send", lambda: self.through.broadcast("once")),
            ):
                with self.subTest(method=method, side=side):
                    self.cuts = [(method, side)]
                    sent = work()
                    self.assertEqual(self.cuts, [], "it was cut")
                    self.assertEqual(sent.duplicate, side == "reply")
                    self.assertEqual([m.text for m in self.ben.check()], ["once"])

    def test_replies_and_forwards_too(self) -> None:
        self.ben.send("ann", "port?")
        (asked,) = self.through.check()
        for side in ("call", "reply"):
            self.cuts = [("reply", side), ("forward", side)]
            self.through.reply("8080", asked.id)
            self.through.forward("ben", asked.id)
            self.assertEqual(self.cuts, [])
            self.assertEqual([m.text for m in self.ben.check()], ["8080", "port?"])

    def test_a_connection_that_is_lost_again_and_again_is_an_error(self) -> None:
        self.cuts = [("send", "call")] * 2
        with self.assertRaises(errors.ConnectionLost):
            self.through.send("ben", "never")
        self.assertEqual(self.ben.check(), [])

    def test_a_rename_is_never_made_twice(self) -> None:
        self.cuts = [("rename", "reply")]
        with self.assertRaises(errors.ConnectionLost):
            self.through.rename("ann-2")
        self.assertEqual(self.seen.count(("rename", "call")), 1)
        self.assertEqual(self.through.whoami().name, "ann-2", "it was done, and can be seen to be")

    def test_a_lost_acknowledgement_is_said_again(self) -> None:
        self.ben.send("ann", "one")
        self.cuts = [("ack", "call")] * 2
        self.assertEqual([m.text for m in self.through.check()], ["one"], "the caller has it")
        self.assertEqual(self.cuts, [])
        self.assertEqual(self.ben.receipts()[0].deliveries[0].state, "offered")
        self.through.close()
        self.assertEqual(self.ben.receipts()[0].deliveries[0].state, "delivered")

    def test_a_lost_answer_to_a_fetch_leaves_the_mail_in_the_mailbox(self) -> None:
        sent = self.ben.send("ann", "one")
        self.cuts = [("fetch", "reply")]
        self.through.check()
        self.assertIn(self.ben.receipts(sent.message_id)[0].deliveries[0].state, ("offered", "delivered"))

    def test_a_wait_outlives_a_restart_of_the_daemon(self) -> None:
        self.ben.whoami()
        found: list = []
        waiter = threading.Thread(target=lambda: found.extend(self.ann.check(wait=60)))
        waiter.start()
        for _ in range(2):
            self.home.ipc("daemon", "restart")
        self.ben.send("ann", "after")
        waiter.join(60)
        self.assertEqual([m.text for m in found], ["after"])

    def test_a_wait_starts_no_daemon_that_somebody_stopped(self) -> None:
        found: list = []
        waiter = threading.Thread(target=lambda: found.extend(self.ann.check(wait=60)))
        waiter.start()
        # Whoever waits answers pings.
        self.home.ipc("--as", "ben", "send", "ann", "--kind", "ping", "--wait=1m")
        self.home.ipc("admin", "backup")
        self.home.ipc("daemon", "stop")
        self.home.ipc("admin", "restore")
        self.assertTrue(self.home.json("daemon", "start")["started"])
        self.ben.send("ann", "after")
        waiter.join(60)
        self.assertEqual([m.text for m in found], ["after"])

    def test_a_wait_that_is_broken_off_while_no_daemon_runs_starts_none(self) -> None:
        wait, found = Wait(), []
        params = {"limit": 1, "peek": False}
        waiter = threading.Thread(
            target=lambda: found.append(wait.fetch(self.ann._pool, self.ann._pings, params, 60))
        )
        waiter.start()
        self.home.ipc("--as", "ben", "send", "ann", "--kind", "ping", "--wait=1m")
        self.home.ipc("daemon", "stop")
        wait.break_off()
        waiter.join(60)
        self.assertEqual([(one.messages, one.ended) for one in found], [([], None)])
        self.assertTrue(self.home.json("daemon", "start")["started"])

    def test_a_wait_that_ends_without_a_daemon_says_so(self) -> None:
        failed: list = []

        def wait() -> None:
            try:
                self.ann.check(wait=15)
            except errors.NotRunning as error:
                failed.append(error)

        waiter = threading.Thread(target=wait)
        waiter.start()
        self.home.ipc("--as", "ben", "send", "ann", "--kind", "ping", "--wait=1m")
        self.home.ipc("daemon", "stop")
        waiter.join(60)
        self.assertEqual(len(failed), 1)
        self.assertIn("ipc daemon start", str(failed[0].hint))
        self.assertTrue(self.home.json("daemon", "start")["started"])

    def test_a_daemon_that_was_stopped_is_started_by_the_next_call(self) -> None:
        self.home.ipc("daemon", "stop")
        self.ann.send("ben", "woken")
        self.assertEqual([m.text for m in self.ben.check()], ["woken"])

    def test_a_daemon_that_was_killed_loses_nothing(self) -> None:
        self.ann.send("ben", "kept")
        os.kill(self.ann.status().pid, 9)
        self.assertEqual([m.text for m in self.ben.check(wait=30)], ["kept"])


if __name__ == "__main__":
    unittest.main()
