from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


class TestHelp:
    def test_lists_every_command(self, clone: Path):
        commands = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()

        listed = re.findall(r"^  make (\S+) +\S", make(clone, "help").stdout, re.MULTILINE)

        assert sorted(listed) == sorted(commands)

    def test_is_what_one_gets_without_a_command(self, clone: Path):
        assert make(clone).stdout == make(clone, "help").stdout


class TestEnvironment:
    def test_an_old_python_is_refused_with_what_would_help(self, clone: Path):
        old = clone / "python-of-old"
        old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2\nexit 1\n')
        old.chmod(0o755)

        refused = make(clone, "up", f"PYTHON={old}")

        assert refused.returncode != 0
        assert "needs Python 3.11 or newer" in refused.stdout
        assert "Python 3.9.2" in refused.stdout
        assert "make PYTHON=" in refused.stdout

    def test_one_that_was_made_only_halfway_is_made_anew(self, clone: Path):
        (clone / ".venv" / "bin").mkdir(parents=True)
        (clone / ".venv" / "bin" / "python").touch()

        planned = make(clone, "-n", "up").stdout

        assert "-m venv --clear" in planned
        assert "--require-hashes" in planned

    def test_what_is_installed_is_not_installed_again(self, clone: Path):
        (clone / ".venv").mkdir()
        for stamp in ("made", "installed"):
            (clone / ".venv" / stamp).touch()

        assert "pip" not in make(clone, "-n", "up").stdout

    def test_a_new_lock_is_taken_over(self, clone: Path):
        (clone / ".venv").mkdir()
        for stamp in ("made", "installed"):
            (clone / ".venv" / stamp).touch()
        later = time.time() + 10
        os.utime(clone / "requirements.lock", (later, later))

        planned = make(clone, "-n", "up").stdout

        assert "-r requirements.lock" in planned
        assert "-m venv" not in planned

    def test_down_without_an_installation_says_so(self, clone: Path):
        assert "Nothing was installed yet" in make(clone, "down").stdout
