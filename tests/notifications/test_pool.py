"""The pool of delivery workers: as large as the queue is long, and nobody leaves with work in hand."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from notifying import until
from shopwright.notifications.pool import IDLE_LOOKS, Pool, wanted


class TestSize:
    @pytest.mark.parametrize(
        ("depth", "running", "idle", "workers"),
        [(0, 1, 0, 1), (9, 1, 0, 1), (10, 1, 0, 2), (35, 2, 0, 4), (10_000, 4, 0, 4)],
    )
    def test_grows_with_the_queue_within_bounds(self, depth, running, idle, workers):
        assert wanted(depth, running, idle, 4) == workers

    def test_shrinks_only_after_it_was_calm_for_a_while(self):
        assert wanted(0, 4, IDLE_LOOKS - 1, 4) == 4
        assert wanted(0, 4, IDLE_LOOKS, 4) == 1


class Queue:
    """A queue and the workers on it, as the pool sees them."""

    def __init__(self, depth=0):
        self.waiting, self.left, self.running, self.started, self.broken = depth, set(), set(), [], set()

    def work(self, number):
        async def run(stop):
            self.started.append(number)
            if number in self.broken:
                self.broken.discard(number)
                raise RuntimeError("a bug")
            self.running.add(number)
            self.left.discard(number)
            await stop.wait()
            self.running.discard(number)

        return run

    async def depth(self):
        return self.waiting

    async def in_hand(self, number):
        return number in self.left

    async def are(self, *numbers):
        async def so():
            return self.running == set(numbers)

        await until(so)


@asynccontextmanager
async def working(queue):
    stop = asyncio.Event()
    pool = Pool(queue.work, queue.depth, queue.in_hand, workers_max=4, look_s=0.01)
    task = asyncio.create_task(pool.run(stop))
    yield
    stop.set()
    await asyncio.wait_for(task, 60)


class TestLife:
    async def test_starts_whole_and_shrinks_to_one_when_all_is_calm(self):
        queue = Queue()

        async with working(queue):
            await queue.are(0, 1, 2, 3)
            await queue.are(0)

        assert queue.running == set()

    async def test_grows_when_the_queue_does(self):
        queue = Queue()

        async with working(queue):
            await queue.are(0)
            queue.waiting = 25
            await queue.are(0, 1, 2)

    async def test_replaces_a_worker_that_died_of_a_bug(self):
        queue = Queue(depth=100)
        queue.broken = {2}

        async with working(queue):
            await queue.are(0, 1, 2, 3)

        assert queue.started.count(2) == 2

    async def test_lets_a_worker_finish_what_it_has_in_hand(self):
        queue = Queue()

        async with working(queue):
            await queue.are(0, 1, 2, 3)
            queue.left = {3}
            await queue.are(0)

            async def again():
                return queue.started.count(3) >= 2

            await until(again)
        assert queue.left == set()
