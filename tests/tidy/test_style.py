"""Style as code: what a reviewer would have to say twice is said here."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for path in (ROOT / "src").rglob("*.py") if "_pb2" not in path.name)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
]

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
TEXTS = {".py", ".md", ".toml", ".lock", ".sql", ".yml", ".html", ".css", ""}
VAGUE = {"service.py", "utils.py", "helpers.py", "base.py", "manager.py", "common.py", "misc.py"}


def name(path):
    return str(path.relative_to(ROOT))


def text_of(path):
    return path.read_text(encoding="utf-8")


def functions(path):
    tree = ast.parse(text_of(path))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of(node):
    return node.end_lineno - node.lineno + 1


class TestModules:
    def test_open_with_words(self):
        """A module says what it owns."""
        docstrings = {name(path): ast.get_docstring(ast.parse(text_of(path))) for path in SOURCES}

        assert [module for module, words in docstrings.items() if not words] == []
        assert [module for module, words in docstrings.items() if len(words.splitlines()) > 25] == []

    def test_are_short(self):
        lines = {name(path): len(text_of(path).splitlines()) for path in SOURCES}

        assert {module: count for module, count in lines.items() if count > FILE_LINES_MAX} == {}

    def test_have_short_functions(self):
        lines = {f"{name(path)}: {node.name}": lines_of(node) for path in SOURCES for node in functions(path)}

        assert {function: count for function, count in lines.items() if count > FUNCTION_LINES_MAX} == {}

    def test_are_named_for_their_subject(self):
        assert [name(path) for path in SOURCES if path.name in VAGUE] == []

    def test_leave_nothing_to_do(self):
        left = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

        assert [name(path) for path in SOURCES if left.search(text_of(path))] == []


def test_tests_never_patch_our_code():
    patches = ("mock" + ".patch", "Magic" + "Mock")

    assert [name(path) for path in TESTS if any(words in text_of(path) for words in patches)] == []


class TestLocks:
    @pytest.mark.parametrize(
        ("lock", "least"),
        [("requirements.lock", 20), ("requirements-dev.lock", 20), ("tests/replay/requirements.lock", 1)],
    )
    def test_pins_every_package_with_hashes_and_names_no_index(self, lock, least):
        text = (ROOT / lock).read_text(encoding="utf-8")
        packages = re.findall(r"^([a-z0-9][^\s=]*)==", text, re.MULTILINE)

        assert len(packages) >= least
        assert len(re.findall(r"--hash=sha256:", text)) >= len(packages)
        assert "://" not in text
        assert "--index-url" not in text


def test_no_file_knows_the_machine_it_was_written_on():
    places = ["/work" + "/main", "/work" + "/shared", "/tmp" + "/lab", "/work" + "/notes"]
    guilty = [
        f"{name(path)}: {place}"
        for path in TRACKED
        if path.is_file() and path.suffix in TEXTS
        for place in places
        if place in path.read_text(encoding="utf-8", errors="replace")
    ]

    assert guilty == []


def test_every_migration_is_numbered_once_per_room():
    for folder in {path.parent for path in (ROOT / "src").rglob("migrations/*.sql")}:
        numbers = [path.name[:4] for path in folder.glob("*.sql")]
        assert len(numbers) == len(set(numbers)), folder
