"""400 rows like CDNOW's through a whole platform, with one kill; `make replay` takes its own 69,659."""

from random import Random

import pytest

from replay.purchases import catalogue, read
from replay.run import replay


def test_each_order_is_its_cds_in_at_most_two_lines_and_its_dollars():
    file = ["customer_id date number_of_cds dollar_value", "00001 19970101 5 12.03", "00002 19970112 1 0.00"]

    five, free = read(file)

    assert (five.number, five.email, five.total) == (1, "customer-00001@cdnow.example", 1_203)
    assert five.lines == ((240, 2), (241, 3))
    assert free.lines == ((0, 1),)
    assert catalogue([five]).splitlines()[1:] == [
        "cd-000240,A CD at 2.40 dollars,CD-000240,2.40,2",
        "cd-000241,A CD at 2.41 dollars,CD-000241,2.41,3",
    ]


def rows(count):
    """Most customers come once, some again; one order in a hundred is free, as there."""
    chance = Random(1997)
    for _ in range(count):
        cds = chance.choice((1, 1, 1, 2, 2, 3, 4, 5, 8))
        dollars = 0 if chance.random() < 0.01 else cds * chance.randint(999, 1_999)
        yield f"{chance.randint(1, count // 2):05d} 19970101 {cds} {dollars / 100:.2f}"


@pytest.mark.stack
@pytest.mark.timeout(600)
async def test_a_day_like_theirs_ends_as_it_did(unlimited_platform):
    purchases = read(rows(400))

    assert await replay(unlimited_platform, purchases, clients=16, kills=1) == []
