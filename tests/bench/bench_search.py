"""How long searching takes: made-up products, as one replica answers them. Prints figures; no test.

python tests/bench/bench_search.py [products, 43000 without]
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from pathlib import Path

from shopwright.contracts.ids import new_id
from shopwright.products.search import facets, finding, queries
from shopwright.products.search.domain import DEPTH_MAX, Ask, Category, Document
from shopwright.products.search.folder import Folder
from shopwright.products.search.index import TantivyIndex
from shopwright.products.search.pages import State
from shopwright.products.search.words import read

ROUNDS = 60
KINDS = ["lamp", "chair", "table", "sofa", "desk", "shelf", "mug", "bowl", "plate", "vase", "rug", "clock"]
WOODS = ["oak", "walnut", "pine", "ash", "beech", "cherry", "maple", "birch", "teak", "cedar"]
LOOKS = ["modern", "rustic", "classic", "minimal", "vintage", "nordic", "folding", "hanging", "round", "slim"]
COLOURS = ["red", "blue", "green", "black", "white", "yellow", "grey", "pink", "brown", "orange"]
ROOMS = ["Kitchen", "Bedroom", "Bathroom", "Garden", "Office", "Hall", "Nursery"]
PROSE = ["made", "by", "hand", "from", "solid", "wood", "and", "finished", "with", "natural", "oil", "easy"]
EVERYTHING = queries.Query.all_query()

ASKS = {
    "browse all": Ask(),
    "browse all, by name": Ask(sort="name"),
    "browse all, by price": Ask(sort="price_asc"),
    "one word": Ask(text="lamp"),
    "two words": Ask(text="walnut chair"),
    "three words": Ask(text="modern walnut chair"),
    "ten words": Ask(text="modern walnut chair for kitchen made by hand from solid wood natural oil"),
    "the beginning of a word": Ask(text="wal"),
    "typing errors": Ask(text="walnot chiar"),
    "nothing found": Ask(text="xylophone quartet"),
    "a SKU": Ask(text="SKU-012345"),
    "a word and a facet": Ask(text="lamp", choices={"colour": ("red",)}),
    "a word, three facets, prices": Ask(
        text="lamp",
        choices={"colour": ("red", "blue"), "wood": ("oak",), "category": ("kitchen",)},
        price_min=1_000,
        price_max=50_000,
    ),
}


def made_up(number: int, chance: random.Random) -> Document:
    kind, wood, room = chance.choice(KINDS), chance.choice(WOODS), chance.choice(ROOMS)
    price = chance.randrange(500, 90_000)
    below = Category(f"{room}-{kind}".lower(), kind.capitalize())
    return Document(
        id=new_id(),
        slug=f"{wood}-{kind}-{number}",
        name=f"{chance.choice(LOOKS)} {wood} {kind} {number}".capitalize(),
        created_at=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        summary=f"A {chance.choice(LOOKS)} {kind} for the {room.lower()}",
        description=" ".join(chance.choices(PROSE, k=60)),
        brand=f"Brand {chance.randrange(80)}",
        categories=[Category("home", "Home"), Category(room.lower(), room), below],
        attributes={"Wood": [wood], "Style": [chance.choice(LOOKS)], "Weight": [f"{number % 40} kg"]},
        options={"Colour": chance.sample(COLOURS, 3), "Size": chance.sample(["S", "M", "L", "XL"], 2)},
        codes=[f"SKU-{number:06}", str(4_000_000_000_000 + number)],
        prices={"EUR": [price, price * 2], "USD": [price]},
        in_stock=chance.random() < 0.9,
    )


def timed(label, work):
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1_000)
    times.sort()
    median, late = statistics.median(times), times[int(ROUNDS * 0.95)]
    print(f"{label:<44} p50 {median:7.2f} ms   p95 {late:7.2f} ms")


def last_page(state, **asked):
    ask = Ask(limit=100, **asked)
    while ask.after is None or ask.after.passed < DEPTH_MAX - 100:
        ask = Ask(limit=100, after=finding.find(state, ask).next, **asked)
    return ask


def count_ourselves(state, query, own):
    """The other way to count facets: every found product's own values, kept beside the index, added up."""
    hits = state.searcher.search(query, 100_000, count=False).hits
    ties = state.searcher.fast_field_values("tie", [address for _, address in hits])
    counts = {}
    for tie in ties:
        for value in own[tie]:
            counts[value] = counts.get(value, 0) + 1
    return counts


def values_of(product):
    found = [category.slug for category in product.categories] + [product.brand]
    for given in (product.attributes, product.options):
        found += [f"{name} {value}" for name, values in given.items() for value in values]
    return found


async def build(index, products):
    began = time.perf_counter()
    await index.rebuild()
    for start in range(0, len(products), 100):
        await index.add(products[start : start + 100])
    await index.switch()
    print(f"{len(products)} products indexed in {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    for one in products[:20]:
        await index.write([one], [])
    print(f"a change is visible after {(time.perf_counter() - began) / 20 * 1_000:.0f} ms")


async def together(index, asks, rounds=200):
    """Searches a second, four at a time."""

    async def one():
        for _ in range(rounds):
            await index.search(next(asks))

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(4)))
    return 4 * rounds / (time.perf_counter() - began)


async def main(number: int, folder: Path) -> None:
    chance = random.Random(7)
    products = [made_up(one, chance) for one in range(number)]
    own = {one.id.int & (2**62 - 1): values_of(one) for one in products}
    index = TantivyIndex(folder, "EUR")
    await build(index, products)
    generation = Folder(folder, "EUR").open()
    state = State(generation.reload(), generation.schema, generation.about.slots)
    for label, ask in ASKS.items():
        timed(label, lambda ask=ask: finding.find(state, ask))
    for label, ask in (("oak", last_page(state, text="oak")), ("all by name", last_page(state, sort="name"))):
        timed(f"the deepest page of 100 of {label}", lambda ask=ask: finding.find(state, ask))
    for text in ("l", "lam", "walnut ch"):
        timed(f"suggestions for {text}", lambda text=text: finding.suggest(state, text, "EUR", 8))
    lamps = queries.text(state.schema, read("lamp"), queries.Level.EXACT)
    for label, query in (("all", EVERYTHING), ("lamp", lamps)):
        timed(f"facets of {label}: aggregation", lambda q=query: facets.count(state.searcher, q))
        timed(f"facets of {label}: counted by ourselves", lambda q=query: count_ourselves(state, q, own))
    fresh = (Ask(text=("lamp", "walnut chair", "oak", "mug")[one % 4], price_min=one) for one in counting())
    print(f"{await together(index, fresh):.0f} different searches/s, four at a time")
    again = (Ask(text=("lamp", "walnut chair", "oak", "mug")[one % 4]) for one in counting())
    print(f"{await together(index, again):.0f} repeated searches/s, four at a time")
    index.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 43_000, Path(place)))
