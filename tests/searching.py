"""A shop whose products are in a real index, asked as a buyer asks."""

from __future__ import annotations

from shopwright.products.search.domain import Ask
from shopwright.products.search.index import TantivyIndex
from shopwright.products.search.testing import product


class Shop:
    """An index with products, asked as a buyer asks."""

    def __init__(self, folder):
        self.index = TantivyIndex(folder, "EUR")
        self.names = {}

    async def stock(self, *given):
        await self.index.rebuild()
        await self.index.switch()
        await self.put(*given)
        return self

    async def put(self, *given):
        self.names |= {one.id: one.name for one in given}
        await self.index.write(given, [])

    async def remove(self, *given):
        await self.index.write([], [one.id for one in given])

    async def ask(self, text="", **more):
        return await self.index.search(Ask(text=text, **more))

    async def find(self, text="", **more):
        """Names in order."""
        return [self.names[one] for one in (await self.ask(text, **more)).ids]

    async def facet(self, name, text="", **more):
        values = (await self.ask(text, **more)).facets.get(name, [])
        return {value.value: value.count for value in values}

    async def pages(self, between=None, **ask):
        """All pages, as lists of ids; `between` runs after each."""
        found, after = [], None
        while True:
            page = await self.ask(after=after, **ask)
            found.append(page.ids)
            if page.next is None:
                return found
            after = page.next
            if between:
                await between()


def wardrobe():
    shirts = {"brand": "Acme", "categories": ["Clothes", "Shirts"]}
    zeta = {"brand": "Zeta"}
    slim = {"Color": ["red"], "Fit": ["Slim"]}
    return [
        product("Shirt", 1, **shirts, options={"Color": ["Red"], "Size": ["M"]}),
        product("Blouse", 2, **shirts, options={"color": ["Blue"], "Size": ["M", "L"]}),
        product("Trousers", 3, **zeta, categories=["Clothes", "Trousers"], attributes=slim),
        product("Mug", 4, **zeta, categories=["Kitchen"], attributes={"Color": ["Grün"]}, in_stock=False),
    ]
