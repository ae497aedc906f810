"""`AsyncClient`: every method, and waits that are cancelled give their mail back."""

import asyncio
import inspect
import threading
import unittest
from unittest import mock

from harness import Case
from claude_ipc import AsyncClient, Client, errors, waiting


class Async(Case):
    def run_async(self, story) -> None:
        async def told() -> None:
            async with AsyncClient() as one, AsyncClient() as two:
                await one.register(self.names[0])
                await two.register(self.names[1])
                await asyncio.wait_for(story(one, two), 60)

        asyncio.run(told())

    def setUp(self) -> None:
        super().setUp()
        number = self.id().rpartition(".")[2][-20:]
        self.names = (f"ann-{number}"[:32], f"ben-{number}"[:32])

    def held_answer(self):
        """A stand-in for asking: the answer is there, and nobody is told of it before the word."""
        loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
        ask = waiting.Wait._ask

        def asked(wait, *arguments):
            found = ask(wait, *arguments)
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(30)
            return found

        return begun, go_on, asked

    def test_every_method_is_there_with_the_same_arguments(self) -> None:
        for name, method in inspect.getmembers(Client, inspect.isfunction):
            if name.startswith("_"):
                continue
            other = getattr(AsyncClient, name)
            ours, theirs = inspect.signature(method), inspect.signature(other)
            if "options" not in theirs.parameters:
                self.assertEqual(list(ours.parameters), list(theirs.parameters), name)

    def test_mail_goes_to_and_fro(self) -> None:
        async def story(ann: AsyncClient, ben: AsyncClient) -> None:
            sent = await ann.send(ben.name, "port?", kind="request", data={"a": 1})
            (got,) = await ben.check(wait=10)
            self.assertEqual((got.text, got.data, got.id), ("port?", {"a": 1}, sent.message_id))
            await ben.reply("8080")
            async with ann.receiving(wait=10, answers_to=sent.message_id) as found:
                self.assertEqual([m.text for m in found], ["8080"])
            await ben.forward(ann.name, got.id)
            self.assertEqual([m.text for m in await ann.check(peek=True)], ["port?"])
            await ann.broadcast("all")
            await ann.auto_check("start", 5)
            self.assertEqual((await ann.whoami()).name, ann.name)
            self.assertEqual((await ann.status()).protocol, 1)
            self.assertEqual((await ann.read(got.id)).text, "port?")
            self.assertTrue(await ann.list() and await ann.receipts(got.id))
            self.assertEqual(await ann.dead_letters(), [])
            await ben.offline()
            self.assertEqual((await ben.rename("b" + ben.name[:30])).name, ben.name)
            await ben.unregister()
            with self.assertRaises(errors.NotFound):
                await ann.read("m.0000000000000")

        self.run_async(story)

    def test_what_check_returned_is_delivered_once_the_client_is_closed(self) -> None:
        async def story(ann: AsyncClient, ben: AsyncClient) -> None:
            sent = await ann.send(ben.name, "one")
            await ben.check()
            await ben.close()
            (receipt,) = await ann.receipts(sent.message_id)
            self.assertEqual((receipt.deliveries[0].state, receipt.deliveries[0].handover), ("delivered", "shim"))

        async def told() -> None:
            async with AsyncClient() as one:
                two = AsyncClient()
                await one.register(self.names[0])
                await two.register(self.names[1])
                await story(one, two)

        asyncio.run(told())

    def test_a_wait_does_not_hold_up_other_calls(self) -> None:
        async def story(ann: AsyncClient, ben: AsyncClient) -> None:
            wait = asyncio.ensure_future(ben.check(wait=60))
            await ben.whoami()
            await ben.send(ann.name, "meanwhile")
            self.assertFalse(wait.done())
            await ann.send(ben.name, "now")
            self.assertEqual([m.text for m in await wait], ["now"])

        self.run_async(story)

    def test_a_cancelled_wait_ends_in_the_daemon_too_and_takes_nothing(self) -> None:
        async def story(ann: AsyncClient, ben: AsyncClient) -> None:
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(ben.check(wait=600), 0.3)
            sent = await ann.send(ben.name, "kept")
            (receipt,) = await ann.receipts(sent.message_id)
            self.assertEqual(receipt.deliveries[0].state, "stored", "nobody waited for it any more")
            self.assertEqual([m.text for m in await ben.check()], ["kept"])

        self.run_async(story)

    def test_mail_that_came_while_a_wait_was_cancelled_is_given_back(self) -> None:
        async def story(ann: AsyncClient, ben: AsyncClient) -> None:
            sent = await ann.send(ben.name, "in between")
            begun, go_on, asked = self.held_answer()
            with mock.patch.object(waiting.Wait, "_ask", asked):
                check = asyncio.ensure_future(ben.check(wait=60))
                await begun.wait()
                check.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await check
                (receipt,) = await ann.receipts(sent.message_id)
                self.assertEqual(receipt.deliveries[0].state, "offered")
                go_on.set()
            found = await ben.check(wait=30)
            self.assertEqual([(m.text, m.redelivered) for m in found], [("in between", True)])

        # Under the 60 seconds of a lease: it was given back.
        self.run_async(story)

    def test_closing_waits_for_what_is_given_back(self) -> None:
        async def told() -> None:
            async with AsyncClient() as ann:
                await ann.register(self.names[0])
                ben = AsyncClient()
                await ben.register(self.names[1])
                await ann.send(ben.name, "in between")
                begun, go_on, asked = self.held_answer()
                with mock.patch.object(waiting.Wait, "_ask", asked):
                    check = asyncio.ensure_future(ben.check(wait=60))
                    await begun.wait()
                    check.cancel()
                    with self.assertRaises(asyncio.CancelledError):
                        await check
                    closing = asyncio.ensure_future(ben.close())
                    go_on.set()
                    await closing
                async with AsyncClient(ben.name) as again:
                    found = await again.check(wait=30)
                self.assertEqual([(m.text, m.redelivered) for m in found], [("in between", True)])

        asyncio.run(told())

    def test_a_block_that_is_cancelled_gives_its_mail_back(self) -> None:
        async def story(ann: AsyncClient, ben: AsyncClient) -> None:
            await ann.send(ben.name, "work")
            inside = asyncio.Event()

            async def work() -> None:
                async with ben.receiving(wait=10):
                    inside.set()
                    await asyncio.Event().wait()

            task = asyncio.ensure_future(work())
            await inside.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            found = await ben.check(wait=30)
            self.assertEqual([(m.text, m.redelivered) for m in found], [("work", True)])

        self.run_async(story)

    def test_listening_acknowledges_after_the_coroutine_returned(self) -> None:
        async def story(ann: AsyncClient, ben: AsyncClient) -> None:
            states = []

            async def heard(message):
                (receipt,) = await ann.receipts(message.id)
                states.append(receipt.deliveries[0].state)
                return message.text != "end"

            one = await ann.send(ben.name, "one")
            await ann.send(ben.name, "end")
            self.assertEqual(await ben.listen(heard), 2)
            self.assertEqual(states, ["offered", "offered"])
            (receipt,) = await ann.receipts(one.message_id)
            self.assertEqual(receipt.deliveries[0].state, "delivered")
            self.assertEqual(await ben.listen(heard, timeout=0.2), 0)

            async def fails(_message):
                raise ValueError

            await ann.send(ben.name, "bad")
            with self.assertRaises(ValueError):
                await ben.listen(fails)
            self.assertEqual([m.text for m in await ben.check(wait=30)], ["bad"])

        self.run_async(story)


if __name__ == "__main__":
    unittest.main()
