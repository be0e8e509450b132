"""Ids sort by the time they were made and never come twice."""

import subprocess
import sys
import threading
import time
from uuid import RFC_4122

from shopwright.contracts.ids import new_id


def test_are_of_version_7_and_hold_the_time():
    before = time.time_ns() // 1_000_000

    made = new_id()

    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_made_one_after_the_other_are_in_order_and_near_the_time():
    made = [new_id() for _ in range(20_000)]

    assert made == sorted(set(made))
    assert made[-1].int >> 80 <= time.time_ns() // 1_000_000 + 5


def test_made_in_threads_are_all_different():
    made: list[list] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda own=own: own.extend(new_id() for _ in range(5_000))) for own in made
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one for own in made for one in own}) == 20_000


FORK = """
import os
from shopwright.contracts.ids import new_id

new_id()
child = os.fork()
os.write(1, new_id().hex.encode() + b"\\n")
child and os.waitpid(child, 0)
"""


def test_of_a_forked_process_have_other_random_bits():
    ran = subprocess.run([sys.executable, "-c", FORK], capture_output=True, check=True)

    parent, child = ran.stdout.split()
    assert parent[16:] != child[16:]
