"""One agent in several threads, forks and processes: who waits for whom, and who is whom."""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import threading
import unittest
from unittest import mock

from harness import PYTHON, Case
from claude_ipc import AsyncClient, Client, agent_files, errors, processes
from claude_ipc.agent_files import AgentFiles


class Locks(Case):
    def files(self) -> AgentFiles:
        return AgentFiles(Client().places)

    def test_a_lock_is_let_go_though_a_forked_child_has_its_descriptor(self) -> None:
        self.home.private()
        to_parent, from_child = os.pipe()
        with self.files().lock("ann"):
            child = os.fork()
            if child == 0:
                os.close(to_parent)
                signal.pause()
                os._exit(0)
        try:
            with mock.patch.object(agent_files, "LOCK_PATIENCE_S", 0.0), self.files().lock("ann"):
                pass
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(to_parent)
            os.close(from_child)

    def test_a_lock_that_a_stopped_process_holds_is_given_up_on(self) -> None:
        ann = self.agent("ann-l")
        ann.close()
        with open(os.path.join(self.home.data, "agents", "ann-l.lock"), "rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with mock.patch.object(agent_files, "LOCK_PATIENCE_S", 0.2), self.assertRaises(errors.FileHeld) as caught:
                self.client().register("ann-l")
            self.assertIn("ann-l.lock", caught.exception.hint)
        self.agent("ann-l")

    def test_locks_that_cross_are_taken_in_one_order(self) -> None:
        self.home.private()
        files, done = self.files(), []

        def cross(one: str, other: str) -> None:
            for _ in range(50):
                with agent_files.Both(files, one, other) as (first, second):
                    done.append((first._name, second._name))

        threads = [threading.Thread(target=cross, args=names) for names in (("Aa", "bB"), ("bb", "aa"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(sorted(set(done)), [("Aa", "bB"), ("bb", "aa")])
        with agent_files.Both(files, "same", "SAME") as (first, second):
            self.assertIs(first, second)
        with mock.patch.object(agent_files, "LOCK_PATIENCE_S", 0.0), files.lock("bb"):
            with self.assertRaises(errors.FileHeld), agent_files.Both(files, "aa", "bb"):
                pass
            with files.lock("aa"):
                pass

    def test_a_rename_in_a_session_that_has_ended_waits_for_nobody(self) -> None:
        ann = self.agent("ann-r")
        self.home.ipc("--as", "ann-r", "revoke", "--all")
        with mock.patch.object(agent_files, "LOCK_PATIENCE_S", 5.0):
            self.assertEqual(ann.rename("ann-r2").name, "ann-r2")
        self.assertEqual(self.home.agent_file("ann-r"), {"moved_to": "ann-r2"})


class Identity(Case):
    def test_a_name_that_another_agent_has_by_now_is_not_taken_for_the_agent(self) -> None:
        ann = self.agent("ann")
        mine = ann.agent_id
        self.home.ipc("--as", "ann", "rename", "ann-2")
        # As after two hours, when the old name is free again.
        self.agent("eve")
        self.home.put("agents/ann.json", json.dumps({**self.home.agent_file("eve"), "name": "ann"}).encode())
        ann._pool.clear()
        self.assertEqual((ann.whoami().agent_id, ann.name), (mine, "ann-2"))
        os.unlink(os.path.join(self.home.data, "agents", "ann-2.json"))
        ann._pool.clear()
        ann._pool.name = "ann"
        with self.assertRaises(errors.NoMailbox) as caught:
            ann.check()
        self.assertIn("another one has the name now", caught.exception.message)

    def test_an_agent_that_is_renamed_while_we_wait_for_its_file_is_found(self) -> None:
        ben, late, found = self.agent("ben"), self.client("ben"), []
        kept = {**self.home.agent_file("ben"), "session": None}
        self.home.put("agents/ben.json", json.dumps(kept).encode())
        waits, hold = threading.Event(), agent_files._hold

        def holding(descriptor: int, path: str) -> None:
            waits.set()
            hold(descriptor, path)

        with agent_files.Both(AgentFiles(ben.places), "ben", "ben-2") as (old, new):
            with mock.patch.object(agent_files, "_hold", holding):
                waiter = threading.Thread(target=lambda: found.append(late.whoami().name))
                waiter.start()
                self.assertTrue(waits.wait(30))
                ben._call("rename", {"new_name": "ben-2"})
                old.move_to(new, ben.agent_id, "ben-2")
        waiter.join(60)
        self.assertEqual(found, ["ben-2"])

    def test_an_agent_whose_file_was_left_behind_is_moved_to_its_name(self) -> None:
        sid = self.agent("sid")
        sid._call("rename", {"new_name": "sid-2"})
        kept = {**self.home.agent_file("sid"), "session": None}
        self.home.put("agents/sid.json", json.dumps(kept).encode())
        self.assertEqual(self.client("sid").whoami().name, "sid-2")
        self.assertEqual(self.home.agent_file("sid"), {"moved_to": "sid-2"})
        self.assertEqual(self.home.agent_file("sid-2")["resume"], kept["resume"])

    def test_a_program_is_known_by_the_file_that_its_interpreter_runs(self) -> None:
        script = os.path.join(self.home.path, "gemini.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write("print(flush=True)\ninput()")
        for words, is_host in (([PYTHON, "-X", "utf8", script], False), ([PYTHON, "-u", script], True)):
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                self.assertEqual("gemini" in processes.program_names(process.pid), is_host, words)
                process.communicate(b"\n")
        # An editor that was given the file is no host.
        with subprocess.Popen(["tail", "-f", script], stdout=subprocess.DEVNULL) as process:
            self.assertNotIn("gemini", processes.program_names(process.pid))
            process.kill()


class Forks(Case):
    def in_child(self, work) -> None:
        child = os.fork()
        if child == 0:
            is_right = False
            try:
                is_right = bool(work())
            finally:
                os._exit(0 if is_right else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_a_child_is_not_held_up_by_a_lock_of_a_thread_that_it_does_not_have(self) -> None:
        ann = self.agent("ann")
        ann._pool._lock.acquire()
        try:
            self.in_child(lambda: ann.whoami().name == "ann")
        finally:
            ann._pool._lock.release()
        self.assertEqual(ann.whoami().name, "ann", "and the parent's connection is as it was")

    def test_an_async_client_in_a_child_says_so(self) -> None:
        ben = AsyncClient()

        def work() -> bool:
            try:
                asyncio.run(ben.whoami())
            except errors.UsageError as error:
                asyncio.run(ben.close())
                return "fork" in error.message
            return False

        self.in_child(work)
        asyncio.run(ben.close())
        with self.assertRaises(errors.UsageError):
            asyncio.run(ben.check())

    def test_closing_an_async_client_ends_its_waits(self) -> None:
        async def told() -> None:
            cy = AsyncClient()
            await cy.register("cy")
            wait, listening = asyncio.ensure_future(cy.check(wait=3_000)), asyncio.ensure_future(cy.listen(print))
            await cy.whoami()
            await asyncio.wait_for(cy.close(), 30)
            self.assertEqual((await wait, await listening), ([], 0))

        asyncio.run(told())


class Turns(Case):
    """Real processes of both kinds on one agent."""

    fresh_home = True

    def python(self, code: str) -> "subprocess.Popen[str]":
        words = [PYTHON, "-c", "import claude_ipc\nc = claude_ipc.Client('tom')\n" + code]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ipc(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(["ipc", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def setUp(self) -> None:
        super().setUp()
        self.agent("tom").close()
        self.pia = self.agent("pia")

    def ended(self, *running: "subprocess.Popen[str]") -> list:
        said = [process.communicate(timeout=120) for process in running]
        self.assertEqual([process.returncode for process in running], [0] * len(running), said)
        return [out for out, _ in said]

    def test_readers_of_both_kinds_take_each_message_once(self) -> None:
        for number in range(16):
            self.pia.send("tom", f"m-{number:02}")
        readers = [self.python("for m in c.check(limit=4): print(m.text)") for _ in range(2)]
        readers += [self.ipc("--as", "tom", "--json", "check", "--limit", "4") for _ in range(2)]
        found = []
        for out in self.ended(*readers):
            if out.startswith("{"):
                out = "\n".join(m["text"] for m in json.loads(out)["messages"])
            found += out.split()
        self.assertEqual(sorted(found), [f"m-{number:02}" for number in range(16)])
        self.assertEqual(self.client("tom").check(), [])

    def test_a_session_that_ended_is_made_anew_once_for_both_kinds(self) -> None:
        self.home.ipc("--as", "tom", "revoke", "--all")
        asking = [self.python("print(c.whoami().name)") for _ in range(3)]
        asking += [self.ipc("--as", "tom", "whoami") for _ in range(3)]
        for out in self.ended(*asking):
            self.assertIn("tom", out)
        self.assertEqual(self.client("tom").whoami().sessions, 1)

    def test_a_renewal_by_ipc_reaches_a_client_that_runs(self) -> None:
        tom = self.client("tom")
        tom.whoami()
        before = self.home.agent_file("tom")["session"]["token"]
        self.home.ipc("--as", "tom", "renew")
        after = self.home.agent_file("tom")["session"]["token"]
        self.assertNotEqual(before, after)
        tom._pool.clear()
        self.assertEqual(tom.whoami().name, "tom")
        self.assertEqual(self.home.agent_file("tom")["session"]["token"], after, "the same for both")

    def test_both_kinds_take_turns_while_the_agent_is_renamed(self) -> None:
        tom = self.client("tom")
        self.pia.send("tom", "one")
        self.assertEqual([m.text for m in tom.check()], ["one"])
        self.home.ipc("--as", "tom", "rename", "tom-2")
        self.pia.send("tom-2", "two")
        self.assertEqual([m.text for m in tom.check()], ["two"], "on the connection that it had")
        tom._pool.clear()
        self.pia.send("tom", "three")
        self.assertEqual([m.text for m in tom.check()], ["three"], "on a new one")
        self.assertEqual(tom.name, "tom-2")
        self.assertEqual(self.home.json("--as", "tom", "whoami")["name"], "tom-2")

    def test_a_takeover_by_ipc_is_the_end_for_a_client_that_runs(self) -> None:
        tom, name = self.client("tom"), "tom"
        tom.whoami()
        taken = subprocess.run(
            ["ipc", "register", name, "--takeover"], start_new_session=True, capture_output=True, text=True, check=False
        )
        self.assertEqual(taken.returncode, 0, taken.stderr)
        with self.assertRaises(errors.TakenOver) as caught:
            tom.send("pia", "x")
        self.assertEqual(caught.exception.hint, f"`ipc register {name} --takeover` takes it back")
        self.assertEqual(self.client(name).whoami().name, name, "another client acts for it, by what ipc kept")


if __name__ == "__main__":
    unittest.main()
