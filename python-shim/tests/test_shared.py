"""One agent, several front-ends: credentials shared with `ipc`, takeover, expiry, rotation, the mailbox."""

import json
import os
import signal
import stat
import subprocess
import sys
import unittest

from harness import PYTHON, Case, Home
from claude_ipc import Client, agent_files, errors, mailbox, processes
from claude_ipc.places import Places


class Shared(Case):
    def test_ipc_acts_for_an_agent_that_python_registered(self) -> None:
        ann = self.agent("ann")
        ann.send("ben", "from python")
        session = self.home.agent_file("ann")["session"]["token"]
        self.home.ipc("--as", "ann", "send", "ben", "from ipc")
        self.assertEqual(self.home.agent_file("ann")["session"]["token"], session, "the same session")
        self.assertEqual([m.text for m in self.agent("ben").check()], ["from python", "from ipc"])
        self.assertEqual(ann.whoami().agent_id, self.home.json("--as", "ann", "whoami")["agent_id"])

    def test_python_acts_for_an_agent_that_ipc_registered(self) -> None:
        self.home.ipc("register", "cleo")
        before = self.home.agent_file("cleo")
        with Client("CLEO") as cleo:
            self.assertEqual(cleo.whoami().name, "cleo")
        self.assertEqual(self.home.agent_file("cleo"), before, "nothing had to be written")
        again = self.agent("cleo")
        self.assertEqual(again.agent_id, before["agent_id"])
        self.assertEqual(self.home.agent_file("cleo")["resume"], before["resume"])
        self.home.ipc("--as", "cleo", "whoami")

    def test_renames_are_followed_both_ways(self) -> None:
        self.agent("dan").rename("dan-2")
        self.assertEqual(self.home.json("--as", "dan", "whoami")["name"], "dan-2")
        self.home.ipc("register", "eva")
        eva = self.client("eva")
        self.assertEqual(eva.whoami().name, "eva")
        self.home.ipc("--as", "eva", "rename", "eva-2")
        self.assertEqual(self.client("eva").whoami().name, "eva-2")
        self.assertEqual(eva.check(), [])
        with self.assertRaises(errors.RateLimited):
            eva.rename("eva-3")

    def test_an_ended_session_is_made_anew_for_all(self) -> None:
        fay = self.agent("fay")
        before = self.home.agent_file("fay")["session"]["token"]
        self.home.ipc("--as", "fay", "revoke", "--all")
        self.assertEqual(fay.whoami().name, "fay")
        after = self.home.agent_file("fay")["session"]["token"]
        self.assertNotEqual(after, before)
        self.home.ipc("--as", "fay", "whoami")
        self.assertEqual(self.home.agent_file("fay")["session"]["token"], after)

    def test_a_session_past_its_end_is_not_even_tried(self) -> None:
        gus = self.agent("gus")
        gus.close()
        path = os.path.join(self.home.data, "agents", "gus.json")
        kept = self.home.agent_file("gus")
        kept["session"]["abs_expires_ms"] = 1
        kept["from_a_newer_program"] = {"a": 1}
        self.home.put("agents/gus.json", json.dumps(kept).encode())
        self.assertEqual(self.client("gus").whoami().name, "gus")
        now = self.home.agent_file("gus")
        self.assertNotEqual(now["session"]["token"], kept["session"]["token"])
        self.assertEqual(now["from_a_newer_program"], {"a": 1}, "handed on")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_a_takeover_is_the_end(self) -> None:
        hal = self.agent("hal")
        other = subprocess.run(
            [PYTHON, "-c", "import claude_ipc; claude_ipc.Client().register('hal', takeover=True)"],
            start_new_session=True, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.assertEqual(other.returncode, 0, other.stderr)
        for _ in range(2):
            with self.assertRaises(errors.TakenOver) as caught:
                hal.check()
            self.assertEqual(caught.exception.hint, "`ipc register hal --takeover` takes it back")
        with self.assertRaises(errors.TakenOver):
            hal.send("hal", "x")
        self.assertEqual(hal.register("hal", takeover=True).incarnation, 3)
        self.assertEqual(hal.check(), [])

    def test_a_live_agent_of_another_window_keeps_its_name(self) -> None:
        script = "import claude_ipc\nc = claude_ipc.Client()\nc.register('ivy')\nprint('here', flush=True)\ninput()"
        with subprocess.Popen(
            [PYTHON, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as window:
            self.assertEqual(window.stdout.readline(), "here\n")
            with self.assertRaises(errors.NameInUse) as caught:
                self.client().register("ivy")
            self.assertTrue(caught.exception.hint)
            window.communicate("\n")

    def test_two_processes_come_back_at_once_and_share_one_session(self) -> None:
        self.agent("jo").close()
        kept = self.home.agent_file("jo")
        kept["session"] = None
        self.home.put("agents/jo.json", json.dumps(kept).encode())
        script = "import claude_ipc\nwith claude_ipc.Client('jo') as c: print(c.whoami().sessions)"
        both = [subprocess.Popen([PYTHON, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)]
        said = [process.communicate(timeout=60)[0] for process in both]
        self.assertEqual([process.returncode for process in both], [0] * 4)
        # The one of the registration, and one that they all share.
        self.assertEqual(self.client("jo").whoami().sessions, 2, said)


class Mailbox(Case):
    def test_several_agents_of_one_window_are_listed_and_none_is_chosen(self) -> None:
        self.agent("ann")
        self.agent("ben")
        with self.assertRaises(errors.NoMailbox) as caught:
            self.client().check()
        self.assertIn("ann, ben", caught.exception.hint)
        os.environ["IPC_INSTANCE"] = "ben"
        self.assertEqual(self.client().whoami().name, "ben")
        self.assertEqual(self.client("ann").whoami().name, "ann", "a given name goes before it")
        os.environ["IPC_INSTANCE"] = "no name"
        with self.assertRaises(errors.InvalidNameHere):
            self.client().check()
        with self.assertRaises(errors.NoMailbox) as caught:
            self.client("carl").check()
        self.assertEqual(caught.exception.exit_status, 2)

    def test_the_process_tree_chooses_as_it_does_for_ipc(self) -> None:
        script = (
            f"{PYTHON} -m claude_ipc register kim >/dev/null && ipc whoami --json && "
            f"{PYTHON} -m claude_ipc --json whoami && ipc register lea >/dev/null; ipc whoami"
        )
        done = subprocess.run(
            ["sh", "-c", script + "; true"], capture_output=True, text=True, start_new_session=True, check=False
        )
        first, second = done.stdout.splitlines()[:2]
        self.assertEqual((json.loads(first)["name"], json.loads(second)["name"]), ("kim", "kim"), done.stderr)
        self.assertIn("several agents were registered from here", done.stderr)
        kim = self.home.agent_file("kim")["host"]
        self.assertEqual(kim, self.home.agent_file("lea")["host"], "the same process stands for both")
        with self.assertRaises(errors.NoMailbox):
            mailbox.nearest(agent_files.AgentFiles(Places()).all(), [])

    def test_the_nearest_ancestor_wins(self) -> None:
        self.agent("mia")
        kept = agent_files.AgentFiles(Places()).follow("mia")
        from dataclasses import replace

        outer, inner = replace(kept, name="outer", host=(2, 100)), replace(kept, name="inner", host=(5, 100))
        chain = [processes.Facts(pid, 0, 0, 100, False) for pid in (9, 5, 2)]
        self.assertEqual(mailbox.nearest([outer, inner], chain).name, "inner")
        self.assertEqual(mailbox.nearest([outer], chain).name, "outer")
        with self.assertRaises(errors.NoMailbox):
            mailbox.nearest([replace(inner, host=(5, 99)), replace(inner, host=None)], chain)


class Secrets(Case):
    fresh_home = True

    def test_the_secret_of_the_environment_goes_before_the_file(self) -> None:
        os.environ["IPC_SHARED_SECRET"] = "correct horse battery"
        self.agent("ann")
        os.environ["IPC_SHARED_SECRET"] = "quite another secret"
        with self.assertRaises(errors.Unauthenticated) as caught:
            self.client().register("ben")
        self.assertIn("rotate-secret", caught.exception.hint)
        os.environ["IPC_SHARED_SECRET"] = ""
        self.agent("ben")
        os.environ["IPC_SHARED_SECRET"] = "tiny-secret"
        with self.assertWarns(errors.WeakSecret), self.assertRaises(errors.Unauthenticated):
            self.client().register("carl")
        for wrong, words in (("short", "shorter"), ("x" * 1_025, "longer")):
            os.environ["IPC_SHARED_SECRET"] = wrong
            with self.assertRaises(errors.NoSecret) as caught:
                self.client().register("carl")
            self.assertIn(words, caught.exception.message)

    def test_after_a_rotation_agents_come_back_and_the_old_secret_enrols_nobody(self) -> None:
        ann = self.agent("ann")
        with open(os.path.join(self.home.data, "secret"), encoding="utf-8") as file:
            old = file.read()
        rotated = self.home.run("ipc", "admin", "rotate-secret")
        self.assertEqual(rotated.returncode, 0, rotated.stderr)
        self.assertEqual(ann.whoami().name, "ann", "all sessions ended; the resume credential is good")
        self.agent("ben")
        with self.assertRaises(errors.Unauthenticated):
            os.environ["IPC_SHARED_SECRET"] = old.strip()
            self.client().register("carl")

    def test_credentials_that_are_no_longer_good_are_said(self) -> None:
        ann = self.agent("ann")
        ann.close()
        self.home.ipc("admin", "revoke", "ann")
        with self.assertRaises(errors.Refused) as caught:
            self.client("ann").check()
        self.assertEqual(caught.exception.message, "the credentials kept here for ann are no longer good")
        self.assertEqual(caught.exception.hint, "`ipc register ann`")
        self.agent("ann")


class Files(Case):
    fresh_home = True

    def setUp(self) -> None:
        super().setUp()
        self.agent("ann").close()
        self.file = os.path.join(self.home.data, "agents", "ann.json")

    def refused(self, words: str) -> errors.FileNotTrusted:
        with self.assertRaises(errors.FileNotTrusted) as caught:
            Client("ann").check()
        self.assertIn(words, caught.exception.message)
        return caught.exception

    def test_a_loose_mode_is_reported_with_what_mends_it(self) -> None:
        os.chmod(self.file, 0o640)
        self.assertEqual(self.refused("mode 0640").hint, f"`chmod 600 {self.file}`")
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o640, "left alone")
        os.chmod(self.file, 0o600)
        for path in (os.path.join(self.home.data, "secret"), self.home.data):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            os.chmod(path, mode | 0o044)
            with self.assertRaises(errors.FileNotTrusted):
                Client().register("ben")
            os.chmod(path, mode)

    def test_links_pipes_and_damage_are_refused(self) -> None:
        with open(self.file, "rb") as file:
            good = file.read()
        os.rename(self.file, self.file + ".x")
        os.symlink(self.file + ".x", self.file)
        self.refused("symbolic link")
        os.unlink(self.file)
        os.mkfifo(self.file, 0o600)
        self.refused("not a regular file")
        os.unlink(self.file)
        for damaged in (b"", b"[]", b"{}", good[:-3], good.replace(b"ipcr_", b"ipcs_"), b" " * 17_000, b'{"moved_to":"../x"}'):
            self.home.put("agents/ann.json", damaged)
            self.refused("ann.json")
        self.home.put("agents/ann.json", good)
        self.assertEqual(self.client("ann").check(), [])

    def test_a_ring_of_pointers_is_given_up_on(self) -> None:
        self.home.put("agents/a1.json", b'{"moved_to":"a2"}')
        self.home.put("agents/a2.json", b'{"moved_to":"a1"}')
        with self.assertRaises(errors.NoMailbox):
            self.client("a1").check()

    def test_a_write_that_fails_leaves_what_was_there(self) -> None:
        from unittest import mock

        with open(self.file, "rb") as file:
            good = file.read()
        with mock.patch("os.replace", side_effect=OSError(28, "No space left on device")):
            with self.assertRaises(errors.FileNotTrusted):
                self.client().register("ann")
        with open(self.file, "rb") as file:
            self.assertEqual(file.read(), good)
        self.assertEqual([name for name in os.listdir(os.path.dirname(self.file)) if name.startswith(".new")], [])


class Starting(Case):
    fresh_home = True

    def test_no_program_and_no_daemon_is_a_clear_error(self) -> None:
        os.environ["PATH"] = "/usr/bin:/bin:."
        with self.assertRaises(errors.CannotStart) as caught:
            self.client().register("ann")
        self.assertIn("`ipc` is not on PATH", caught.exception.message)
        self.assertEqual(caught.exception.hint, "put `ipc` on PATH, or run `ipc daemon start`")
        with self.assertRaises(errors.NotRunning):
            self.home.private()
            self.home.put("secret", b"correct horse battery")
            self.client(start_daemon=False).register("ann")

    def test_a_daemon_that_does_not_start_says_why(self) -> None:
        self.home.put("config.toml", b"nonsense = 1\n")
        with self.assertRaises(errors.CannotStart) as caught:
            self.client().register("ann")
        self.assertIn("nonsense", caught.exception.message)

    def test_another_directory_and_socket_are_used(self) -> None:
        room = os.path.join(self.home.path, "deep")
        os.mkdir(room, 0o700)
        os.environ["IPC_SOCKET"] = os.path.join(room, "s")
        other = os.path.join(room, "data")
        with Client(data_dir=other) as ann:
            ann.register("ann")
            self.assertTrue(os.path.exists(os.path.join(room, "s")))
        self.assertFalse(os.path.exists(self.home.data))
        stopped = self.home.run("ipc", "--data-dir", other, "daemon", "stop", IPC_SOCKET=os.path.join(room, "s"))
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        os.environ["IPC_SOCKET"] = "/tmp/" + "x" * 110
        with self.assertRaises(errors.UsageError) as caught:
            Client()
        self.assertIn("IPC_SOCKET", caught.exception.hint)


if __name__ == "__main__":
    unittest.main()
