from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shopwright.stack import bring_up, logs
from shopwright.stack.layout import Layout
from shopwright.stack.parts import Part
from shopwright.stack.supervision import Supervisor, leftovers


def part(name: str, program: str, **environment: str) -> Part:
    return Part(name, [sys.executable, "-c", program], environment)


STEADY = part("steady", "import time; print('steady as a rock', flush=True); time.sleep(600)")
FLAKY = part("flaky", "import sys; sys.exit('the reason why')")
FREE = part(
    "free",
    "import os, time; print(os.environ['QUOTED'], flush=True); time.sleep(600)",
    QUOTED="a, b; c = 100 %",
)


def eventually(holds: Callable[[], object]) -> object:
    until = time.monotonic() + 60
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.05)
    return held


@pytest.fixture
def supervisor(layout: Layout) -> Iterator[Supervisor]:
    supervisor = Supervisor(layout)
    supervisor.configure([STEADY, FLAKY, FREE])
    supervisor.start_itself()
    try:
        yield supervisor
    finally:
        if supervisor.running():
            supervisor.shut_down()
            eventually(lambda: not (layout.run / "supervisord.pid").exists())


def state(supervisor: Supervisor, name: str):
    return next(each for each in supervisor.states() if each.name == name)


class TestParts:
    def test_a_killed_one_is_started_again_and_counted(self, supervisor: Supervisor):
        supervisor.start("steady")
        eventually(lambda: state(supervisor, "steady").pid)
        first = state(supervisor, "steady").pid

        os.kill(first, signal.SIGKILL)

        assert eventually(lambda: state(supervisor, "steady").pid not in {0, first})
        assert supervisor.restarts() == {"steady": 1}

    def test_one_that_is_asked_to_stop_counts_for_nothing(self, supervisor: Supervisor):
        supervisor.start("steady")
        eventually(lambda: state(supervisor, "steady").pid)

        supervisor.stop("steady")
        supervisor.start("steady")

        assert supervisor.restarts() == {}

    def test_one_that_cannot_start_is_tried_with_growing_pauses(self, supervisor: Supervisor):
        supervisor.start("flaky")

        assert eventually(lambda: supervisor.restarts().get("flaky", 0) >= 2)
        assert eventually(lambda: state(supervisor, "flaky").state == "BACKOFF")

    def test_its_last_words_and_a_way_out_are_told(self, supervisor: Supervisor, layout: Layout):
        supervisor.start("flaky")
        eventually(lambda: supervisor.restarts().get("flaky"))

        assert "the reason why" in bring_up.last_words(layout, "flaky")
        assert "shopwright logs flaky" in bring_up.way_out(layout, "flaky")

    def test_what_waits_for_its_next_try_can_be_woken(self, supervisor: Supervisor):
        supervisor.start("flaky")
        eventually(lambda: supervisor.restarts().get("flaky", 0) >= 2)
        before = supervisor.restarts()["flaky"]

        eventually(lambda: state(supervisor, "flaky").state == "BACKOFF")
        supervisor.wake()

        assert eventually(lambda: supervisor.restarts()["flaky"] > before)

    def test_any_value_reaches_the_environment(self, supervisor: Supervisor, layout: Layout):
        supervisor.start("free")

        assert eventually(lambda: "a, b; c = 100 %" in bring_up.last_words(layout, "free"))


class TestConfiguration:
    def test_only_what_changed_is_started_anew(self, supervisor: Supervisor):
        for name in ("steady", "free"):
            supervisor.start(name)
            eventually(lambda name=name: state(supervisor, name).pid)
        steady = state(supervisor, "steady").pid

        supervisor.configure([STEADY, part("free", "import time; time.sleep(600)", QUOTED="new")])
        supervisor.reread()

        assert state(supervisor, "steady").pid == steady
        assert state(supervisor, "free").state == "STOPPED"
        assert {each.name for each in supervisor.states()} == {"steady", "free"}


class TestOrphans:
    def test_are_found_by_their_home_alone(self, supervisor: Supervisor, layout: Layout, tmp_path: Path):
        supervisor.start("steady")
        eventually(lambda: "steady as a rock" in bring_up.last_words(layout, "steady"))
        orphan = state(supervisor, "steady").pid

        os.kill(supervisor.pid(), signal.SIGKILL)
        eventually(lambda: not supervisor.running())

        assert [process.pid for process in leftovers(layout)] == [orphan]
        assert leftovers(Layout.of(tmp_path / "another")) == []
        os.kill(orphan, signal.SIGKILL)


class TestLogs:
    def test_the_last_lines_of_a_part(self, layout: Layout):
        (layout.logs / "web-0.log").write_text("one\ntwo\nthree\n")

        assert list(logs.read(layout, "web-0", 2, follow=False)) == ["two", "three"]
        assert list(logs.read(layout, "web", 1, follow=False)) == ["three"]

    def test_of_all_parts_say_whose_they_are(self, layout: Layout):
        (layout.logs / "web-0.log").write_text("hello\n")
        (layout.logs / "users-0.log").write_text("welcome\n")

        lines = [line.split() for line in logs.read(layout, None, 5, follow=False)]

        assert lines == [["users-0", "welcome"], ["web-0", "hello"]]

    def test_follow_what_is_added_rotated_or_new(self, layout: Layout):
        log = layout.logs / "web-0.log"
        log.write_text("a long line from before\n")
        lines = logs.read(layout, "web", 1, follow=True)
        next(lines)

        with log.open("a") as file:
            file.write("added\n")
        seen = [next(lines)]
        log.rename(layout.logs / "web-0.log.1")
        log.write_text("rotated\n")
        seen.append(next(lines))
        (layout.logs / "web-1.log").write_text("of the spare\n")
        seen.append(next(lines).split(maxsplit=1)[1])

        assert seen == ["added", "rotated", "of the spare"]

    def test_an_unknown_part_is_told_with_the_known_ones(self, layout: Layout):
        (layout.logs / "web-0.log").write_text("")

        with pytest.raises(logs.NoSuchLog, match=r"no log of wbe; there are: web-0"):
            next(logs.read(layout, "wbe", 5, follow=False))
