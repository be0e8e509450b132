"""The index on tantivy: reading for every replica, writing for the one that holds the lease.

Searches run in threads, tantivy without the interpreter's lock, so the event loop waits for none of them:
with facets 2 ms for a word and 7 for everything, of 43,000 products (tests/bench/bench_search.py, 2 cores).
A reader looks for a new commit before a search, at most every `LOOK_S`; one `stat` tells. tantivy's own lock
on the folder refuses a second writer on the machine even if the lease should be wrong.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
import structlog
from tantivy import Query

from shopwright.chassis.crashpoints import reach
from shopwright.contracts.problems import Unavailable

from . import finding
from .domain import Ask, Document, Found, IndexFailed, Suggestion
from .facets import count
from .folder import About, Folder, Generation
from .pages import State
from .schema import document

log = structlog.get_logger()

THREADS: Final = 2  # searches at once: one per core of the smallest machine
LOOK_S: Final = 0.05
ANSWERS_MAX: Final = 256  # kept until the next commit, up to 30 KB each: front pages ask the same again
WRITER_BYTES: Final = 32 * 1_048_576  # of documents in memory before they become a segment on disk

Result = TypeVar("Result")


class TantivyIndex:
    """`domain.Index` in the folder `root`; `own` is the shop's own currency."""

    def __init__(self, root: Path, own: str) -> None:
        self._folder = Folder(root, own)
        self._threads = ThreadPoolExecutor(THREADS, "search")
        self._writing = ThreadPoolExecutor(1, "search-writer")
        self._reader = _Reader(self._folder)
        self._writer: _Writer | None = None
        self._fresh: _Writer | None = None  # of the new index while it is built

    async def search(self, ask: Ask) -> Found:
        key = msgspec.json.encode(ask)
        if (known := self._reader.known(key)) is not None:
            return known
        return await self._read(lambda: self._reader.learn(key, lambda state: finding.find(state, ask)))

    async def suggest(self, text: str, currency: str | None, limit: int) -> list[Suggestion]:
        return await self._read(lambda: finding.suggest(self._reader.state(), text, currency, limit))

    async def usable(self) -> bool:
        return await self._write(self._probe)

    async def write(self, documents: Sequence[Document], gone: Sequence[UUID]) -> None:
        def replace() -> None:
            if self._writer is None:
                self._writer = _Writer(self._folder.open())
            self._writer.replace(documents, gone)
            self._writer.commit()
            self._reader.look()

        await self._write(replace)

    async def rebuild(self) -> None:
        def start() -> None:
            self._drop_fresh()
            self._folder.forget_all_but({self._folder.current()})
            self._fresh = _Writer(self._folder.create())

        await self._write(start)

    async def add(self, documents: Sequence[Document]) -> None:
        def append() -> None:
            assert self._fresh is not None, "rebuild() comes first"
            self._fresh.add(documents)

        await self._write(append)

    async def switch(self) -> None:
        def finish() -> None:
            assert self._fresh is not None, "rebuild() comes first"
            self._fresh.commit()
            reach("search.rebuild.before-switch")
            self._close_writer()
            self._folder.switch(self._fresh.generation)
            self._writer, self._fresh = self._fresh, None
            self._reader.look()

        await self._write(finish)

    async def release(self) -> None:
        def let_go() -> None:
            self._close_writer()
            self._drop_fresh()

        await self._write(let_go)

    def close(self) -> None:
        self._threads.shutdown()
        self._writing.submit(self._close_writer)
        self._writing.shutdown()

    async def _read(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _unbroken, work)
        except IndexFailed as error:
            raise Unavailable(detail="the search index is being built", part="search") from error

    async def _write(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._writing, _unbroken, work)

    def _probe(self) -> bool:
        try:
            state = _open(self._folder.open())
            hits = state.searcher.search(Query.all_query(), 1, order_by_field="newest").hits
            for _, address in hits:
                state.searcher.doc(address)
            count(state.searcher, Query.all_query())
        except IndexFailed as error:
            log.warning("no usable search index", reason=str(error))
            return False
        except ValueError as error:
            log.warning("the search index is broken", reason=str(error))
            return False
        return True

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _drop_fresh(self) -> None:
        if self._fresh is not None:
            self._fresh.close()
            self._folder.forget(self._fresh.generation)
            self._fresh = None


def _unbroken(work: Callable[[], Result]) -> Result:
    """A panic in tantivy's Rust is no `Exception`, but no reason to end this process either."""
    try:
        return work()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise IndexFailed(f"tantivy panicked: {error}") from error


def _open(generation: Generation) -> State:
    searcher = generation.reload()
    return State(searcher, generation.schema, generation.about.slots)


class _Reader:
    """The last commit of the index that answers, for all threads."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self._stamp: tuple[int, int] = (0, 0)
        self._state: State | None = None
        self._looked = float("-inf")
        self._answers: OrderedDict[bytes, Found] = OrderedDict()

    def known(self, key: bytes) -> Found | None:
        """The answer to `key` from the last commit, if it was given before and no other commit is due."""
        return self._answers.get(key) if time.monotonic() - self._looked <= LOOK_S else None

    def learn(self, key: bytes, find: Callable[[State], Found]) -> Found:
        """The answer to `key`, kept for the next who asks. Raises IndexFailed if there is no index."""
        state = self.state()
        if (answer := self._answers.get(key)) is None:
            answer = find(state)
            with self._lock:
                if state is self._state:
                    self._answers[key] = answer
                    while len(self._answers) > ANSWERS_MAX:
                        self._answers.popitem(last=False)
        return answer

    def state(self) -> State:
        """Raises IndexFailed if there is no index."""
        if self._state is None or time.monotonic() - self._looked > LOOK_S:
            self.look()
        assert self._state is not None
        return self._state

    def look(self) -> None:
        """Take over a new commit or another generation, if there is one. An index that answered answers on
        while its folder cannot be read.
        """
        with self._lock:
            try:
                self._take_over()
            except IndexFailed as error:
                if self._state is None:
                    raise
                log.warning("search answers from what it had", reason=str(error))
            self._looked = time.monotonic()

    def _take_over(self) -> None:
        name = self._folder.current()
        if self._generation is None or (name and name != self._generation.path.name):
            generation = self._folder.open()
        else:
            generation = self._generation
        stamp = generation.stamp()
        if generation is not self._generation or stamp != self._stamp:
            self._state = _open(generation)
            self._answers = OrderedDict()
            self._generation, self._stamp = generation, stamp


def _searchable(one: Document, about: About) -> Any:
    """`one` for the engine; None if it cannot be, since one product must not keep all others waiting."""
    try:
        return document(one, about.own, about.slots)
    except (ValueError, OverflowError):
        log.exception("a product is not searchable", product_id=str(one.id))
        return None


class _Writer:
    """Writes to one generation. Any failure closes it: what was not committed is written again."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        try:
            self._engine: Any = generation.engine.writer(WRITER_BYTES, 1)
        except ValueError as error:
            raise IndexFailed(f"another process writes: {error}") from error

    def replace(self, documents: Sequence[Document], gone: Sequence[UUID]) -> None:
        try:
            for product in [*(one.id for one in documents), *gone]:
                self._engine.delete_documents_by_term("id", product.hex)
        except ValueError as error:
            raise IndexFailed(f"not deleted: {error}") from error
        self.add(documents)

    def add(self, documents: Sequence[Document]) -> None:
        self.generation.give_slots({currency for one in documents for currency in one.prices})
        about = self.generation.about
        try:
            for one in documents:
                if (found := _searchable(one, about)) is not None:
                    self._engine.add_document(found)
        except ValueError as error:
            raise IndexFailed(f"not added: {error}") from error

    def commit(self) -> None:
        reach("search.before-commit")
        try:
            self._engine.commit()
        except ValueError as error:
            raise IndexFailed(f"not committed: {error}") from error
        reach("search.after-commit")

    def close(self) -> None:
        """Finish merges that run and give the lock back."""
        try:
            self._engine.wait_merging_threads()
        except ValueError as error:
            log.warning("merging ended badly", error=str(error))
        del self._engine
