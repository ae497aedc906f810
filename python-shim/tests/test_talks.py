"""Conversations, past mail, boundaries, and what agents say of themselves, against the real daemon."""

import asyncio
import os
import subprocess
import unittest

from harness import Case
from claude_ipc import AsyncClient, errors, place
from claude_ipc.messages import _sentence


class Conversations(Case):
    def test_a_group_is_made_written_to_added_to_and_left(self) -> None:
        ann, ben, cy = self.agent("ann"), self.agent("ben"), self.agent("cy")
        group = ann.create_conversation("release 1.0", ["ben"])
        self.assertEqual((group.title, group.members, group.unread), ("release 1.0", ["ann", "ben"], 0))
        changed = ann.add_to_conversation(group.id, ["cy", "ben"])
        self.assertEqual((changed.added, changed.conversations[0].members), (["cy"], ["ann", "ben", "cy"]))
        sent = ann.send(group.id, "who tags?")
        self.assertEqual((sent.conversation, [o.name for o in sent.recipients]), (group.id, ["ben", "cy"]))
        told = [m.sentence() for m in ben.check(kind="system")]
        self.assertIn(f"ann brought cy into the group {group.id}", told)
        (got,) = ben.check(conversation=group.id)
        self.assertEqual((got.conversation.id, got.conversation.title), (group.id, "release 1.0"))
        ben.reply("I do")
        self.assertEqual(cy.conversation(group.id).unread, 2)
        ben.reply("and I am afraid", got.id, private=True)
        self.assertEqual([m.text for m in ann.check(kind="message")], ["I do", "and I am afraid"])
        self.assertEqual([m.text for m in cy.check(conversation=group.id)], ["who tags?", "I do"])
        self.assertEqual(cy.leave_conversation(group.id).id, group.id)
        self.assertEqual(ann.check()[-1].sentence(), f"cy is no longer in the group {group.id}")
        for refused in (cy.conversation, cy.leave_conversation, lambda i: cy.send(i, "x"), lambda i: cy.add_to_conversation(i, ["cy"])):
            with self.assertRaises(errors.NotFound):
                refused(group.id)
        listed = ann.conversations()
        self.assertEqual((listed.total, len(listed.conversations)), (2, 2))
        self.assertEqual(len(ann.conversations(limit=1).conversations), 1)

    def test_a_group_answers_and_each_is_waited_for(self) -> None:
        self.agent("ann-g"), self.agent("ben-g"), self.agent("cy-g")

        async def answer(client: AsyncClient, text: str) -> None:
            (question,) = await client.check(wait=60, kind="request")
            await client.reply(text, question.id)

        async def main() -> None:
            async with AsyncClient("ann-g") as ann, AsyncClient("ben-g") as ben, AsyncClient("cy-g") as cy:
                group = await ann.create_conversation("g", ["ben-g", "cy-g"])
                answering = [asyncio.create_task(answer(ben, "yes")), asyncio.create_task(answer(cy, "no"))]
                asked = await ann.ask(group.id, "ready?")
                self.assertEqual((sorted(m.text for m in asked.final), asked.ended), (["no", "yes"], "answered"))
                await asyncio.gather(*answering)

        asyncio.run(main())

    def test_what_a_group_cannot_be_is_refused(self) -> None:
        ann, ben = self.agent("ann-r"), self.agent("ben-r")
        made = ann.create_conversation("once", ["ben-r"], idempotency_key="g-1")
        self.assertEqual(ann.create_conversation("once", ["ben-r"], idempotency_key="g-1").id, made.id)
        direct = ann.send("ben-r", "hi").conversation
        for refused, error in (
            (lambda: ann.create_conversation("twice", idempotency_key="g-1"), errors.Conflict),
            (lambda: ann.create_conversation("x", ["nobody-r"]), errors.UnknownRecipient),
            (lambda: ann.create_conversation("\n"), errors.Malformed),
            (lambda: ann.create_conversation("x", ["a b"]), errors.UsageError),
            (lambda: ann.create_conversation(self.home.agent_file("ann-r")["resume"]), errors.Forbidden),
            (lambda: ann.add_to_conversation(direct, ["ben-r"]), errors.Conflict),
            (lambda: ann.leave_conversation(direct), errors.Conflict),
            (lambda: ann.conversation("c.1"), errors.UsageError),
        ):
            with self.assertRaises(error):
                refused()
        self.assertEqual(ben.conversations().total, 2)

    def test_a_single_name_is_not_taken_apart(self) -> None:
        ann, _ben = self.agent("ann-s"), self.agent("b")
        self.assertEqual(ann.create_conversation("s", "b").members, ["ann-s", "b"])


class Past(Case):
    def test_past_mail_is_found_by_words_peer_kind_and_moment(self) -> None:
        ann, ben, cy = self.agent("ann"), self.agent("ben"), self.agent("cy")
        first = ann.send("ben", "which port does the server use?", kind="request")
        ben.check()
        ben.reply("it is 8080, in Café mode")
        waiting = cy.send("ann", "unread")
        (answer,) = ann.check(sender="ben")
        past = ann.history()
        self.assertEqual([(e.direction, e.message.id) for e in past.entries], [("sent", first.message_id), ("received", answer.id)])
        self.assertEqual((past.waiting, past.next_before), (1, None))
        self.assertEqual(past.entries[0].deliveries[0].state, "answered")

        def found(*words, **which) -> list:
            return [e.message.id for e in ann.history(*words, **which).entries]

        self.assertEqual(found("cafe 80*"), [answer.id])
        self.assertEqual(found('"which port" OR nothing -cafe'), [first.message_id])
        self.assertEqual((found(peer="ben"), found(peer="cy")), ([first.message_id, answer.id], []))
        self.assertEqual((found(kind="request"), found(after=first.message_id)), ([first.message_id], [answer.id]))
        self.assertEqual((found(before=answer.id), found(before=1)), ([first.message_id], []))
        self.assertEqual(found(conversation=first.conversation, after=1), [first.message_id, answer.id])
        self.assertNotIn(waiting.message_id, found())

    def test_pages_go_back_to_the_beginning(self) -> None:
        ann, _ben = self.agent("ann-p"), self.agent("ben-p")
        for number in range(5):
            ann.send("ben-p", str(number))
        pages = [[e.message.text for e in page.entries] for page in ann.history_pages(limit=2)]
        self.assertEqual(pages, [["3", "4"], ["1", "2"], ["0"]])

        async def main() -> list:
            async with AsyncClient("ann-p") as client:
                return [len(page.entries) async for page in client.history_pages(peer="ben-p", limit=4)]

        self.assertEqual(asyncio.run(main()), [4, 1])

    def test_what_is_no_search_and_no_place_in_the_past_is_refused(self) -> None:
        ann, _ben = self.agent("ann-z"), self.agent("ben-z")
        for which, error in (
            ({"search": '"open'}, errors.Malformed),
            ({"kind": "molten"}, errors.Malformed),
            ({"before": "m.0000000000000"}, errors.NotFound),
            ({"conversation": "c.0000000000000"}, errors.NotFound),
            ({"after": "m.1"}, errors.UsageError),
            ({"peer": "a b"}, errors.UsageError),
        ):
            with self.assertRaises(error):
                ann.history(**which)

    def test_a_daemon_whose_past_does_not_end_is_given_up_on(self) -> None:
        from claude_ipc.methods.remembering import follows
        from claude_ipc.talks import History

        with self.assertRaises(errors.ProtocolError):
            follows({}, History([], "m.0000000000000", 0))
        with self.assertRaises(errors.ProtocolError):
            follows({"before": "m.0000000000000"}, History([None], "m.0000000000000", 0))


class Bounds(Case):
    def test_a_blocked_agent_hears_so_and_a_held_one_is_let_in(self) -> None:
        ann, ben, cy = self.agent("ann"), self.agent("ben"), self.agent("cy")
        self.assertEqual([(r.name, r.rule) for r in ann.block("ben").rules], [("ben", "block")])
        with self.assertRaises(errors.Blocked) as caught:
            ben.send("ann", "hello?")
        self.assertEqual((caught.exception.code, caught.exception.exit_status), ("blocked", 1))
        self.assertEqual(ann.forget_rule("ben").rules, [])
        self.assertTrue(ann.allow_only().allow_only)
        self.assertEqual([o.type for o in cy.send("ann", "let me in").recipients], ["held"])
        self.assertEqual([o.type for o in ben.send("ann", "and me").recipients], ["held"])
        self.assertEqual(ann.check(), [])
        self.assertEqual(sorted((h.name, h.messages) for h in ann.boundaries().held), [("ben", 1), ("cy", 1)])
        self.assertEqual((ann.allow(cy.agent_id).released, ann.block("ben").refused), (1, 1))
        self.assertEqual([m.text for m in ann.check()], ["let me in"])
        self.assertIn("the recipient takes no mail from you", ben.check()[0].sentence())
        self.assertFalse(ann.allow_only(False).allow_only)

    def test_mail_of_a_muted_agent_waits_without_a_word(self) -> None:
        ann, ben = self.agent("ann-m"), self.agent("ben-m")
        ann.mute("ben-m")
        ben.send("ann-m", "chatter")
        self.assertEqual(ann.whoami().muted, 1)
        self.assertEqual([m.text for m in ann.check()], ["chatter"])

    def test_rules_for_nobody_everybody_and_oneself_are_refused(self) -> None:
        ann = self.agent("ann-z")
        for peer, error in (("nobody-z", errors.UnknownRecipient), ("ann-z", errors.Conflict), ("all", errors.UsageError)):
            with self.assertRaises(error):
                ann.block(peer)


class Described(Case):
    def test_agents_say_what_they_are_about_and_are_found_by_it(self) -> None:
        ann, ben = self.agent("ann"), self.agent("ben")
        said = ann.describe("reviewing", "the parser", ["rust", "code-review"])
        self.assertEqual((said.status, said.summary, said.capabilities), ("reviewing", "the parser", ["code-review", "rust"]))
        (found,) = ben.list(capability="rust")
        self.assertEqual((found.name, found.status, found.summary), ("ann", "reviewing", "the parser"))
        ann.describe(status="", capabilities=[])
        me = ann.whoami()
        self.assertEqual((me.status, me.summary, me.capabilities), (None, "the parser", []))
        for wrong in ({"status": "x" * 121}, {"summary": "a\nb"}, {"capabilities": ["No"]}):
            with self.assertRaises(errors.Malformed):
                ann.describe(**wrong)
        with self.assertRaises(errors.Forbidden):
            ann.describe(summary=self.home.agent_file("ann")["resume"])

    def test_a_client_and_the_program_in_one_repository_find_each_other(self) -> None:
        room = os.path.join(self.home.path, "project")
        for part in (".git/objects", "deep"):
            os.makedirs(os.path.join(room, part))
        open(os.path.join(room, ".git", "HEAD"), "w").close()
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(os.path.join(room, "deep"))
        inside = self.agent("inside")
        register = ["ipc", "register", "beside"]
        subprocess.run(register, cwd=room, check=True, capture_output=True)
        os.chdir(self.home.path)
        outside = self.agent("outside")
        self.assertEqual(sorted(a.name for a in inside.list(scope="repo")), ["beside", "inside"])
        self.assertEqual([a.name for a in inside.list(scope="directory")], ["inside"])
        self.assertGreaterEqual(len(inside.list(scope="machine")), 3)
        with self.assertRaises(errors.NotFound):
            outside.list(scope="repo")
        with self.assertRaises(errors.Malformed):
            inside.list(scope="planet")

    def test_a_worktree_is_in_the_repository_that_it_shares(self) -> None:
        main, tree = (os.path.join(self.home.path, name) for name in ("main", "tree"))
        own = os.path.join(main, ".git", "worktrees", "tree")
        for part in (own, os.path.join(main, ".git", "objects"), tree):
            os.makedirs(part)
        for path, text in (
            (os.path.join(main, ".git", "HEAD"), ""),
            (os.path.join(own, "HEAD"), ""),
            (os.path.join(own, "commondir"), "../..\n"),
            (os.path.join(tree, ".git"), f"gitdir: {own}\n"),
        ):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        places = []
        for directory in (main, tree):
            os.chdir(directory)
            places.append(place.here())
        self.assertEqual(places[0]["repository"], places[1]["repository"])
        self.assertNotEqual(places[0]["directory"], places[1]["directory"])


class Newer(unittest.TestCase):
    def test_a_notice_of_a_newer_daemon_is_no_error(self) -> None:
        for event in ({"type": "eclipse"}, {"type": "members_added", "names": 7}, {"type": "member_left"}, None):
            self.assertIn("does not know", _sentence(event))


if __name__ == "__main__":
    unittest.main()
