"""Many questions at once are one, and each still gets its own answer."""

import asyncio

import pytest

from shopwright.chassis import deadline
from shopwright.chassis.gathering import TOGETHER_MAX, Gathering


class Asked:
    """Answers each number with its double once it may; fails over 13."""

    def __init__(self):
        self.batches, self.may, self.left = [], asyncio.Event(), []

    async def __call__(self, many):
        self.batches.append(list(many))
        self.left.append(deadline.remaining_s(9.0))
        await self.may.wait()
        if 13 in many:
            raise ValueError(13)
        return [2 * number for number in many]


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def gathering(asked):
    return Gathering(asked)


async def all_of(gathering, asked, numbers):
    asking = [asyncio.create_task(gathering.ask(number)) for number in numbers]
    await asyncio.sleep(0)  # all have asked, none is answered
    asked.may.set()
    return await asyncio.gather(*asking, return_exceptions=True)


async def test_those_who_come_meanwhile_are_asked_for_together_afterwards(gathering, asked):
    assert await all_of(gathering, asked, [1, 2, 3]) == [2, 4, 6]
    assert asked.batches == [[1], [2, 3]]


async def test_one_alone_is_asked_for_at_once(gathering, asked):
    asked.may.set()

    assert [await gathering.ask(1), await gathering.ask(2)] == [2, 4]
    assert asked.batches == [[1], [2]]


async def test_one_that_fails_fails_alone(gathering, asked):
    one, two, bad, three = await all_of(gathering, asked, [1, 2, 13, 3])

    assert (one, two, three) == (2, 4, 6)
    assert isinstance(bad, ValueError)


async def test_who_went_away_is_asked_for_no_more(gathering, asked):
    first, gone, last = (asyncio.create_task(gathering.ask(number)) for number in (1, 2, 3))
    await asyncio.sleep(0)
    gone.cancel()
    asked.may.set()

    assert [await first, await last] == [2, 6]
    assert asked.batches == [[1], [3]]


async def test_takes_no_more_at_once_than_is_good(gathering, asked):
    await all_of(gathering, asked, range(100, 102 + TOGETHER_MAX))

    assert [len(batch) for batch in asked.batches] == [1, TOGETHER_MAX, 1]


async def test_the_time_that_one_has_left_is_not_that_of_others(gathering, asked):
    first = asyncio.create_task(gathering.ask(1))
    await asyncio.sleep(0)
    deadline.start(0.0)
    await all_of(gathering, asked, [2, 3])
    await first

    assert asked.left == [9.0, 9.0]
