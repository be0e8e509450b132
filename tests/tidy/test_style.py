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


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", SOURCES, ids=name)
class TestModules:
    def test_opens_with_words(self, path):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

        assert docstring, "a module says what it owns"
        assert len(docstring.splitlines()) <= 25

    def test_is_short(self, path):
        lines = len(path.read_text(encoding="utf-8").splitlines())

        assert lines <= FILE_LINES_MAX

    def test_has_short_functions(self, path):
        long = [
            f"{node.name}: {node.end_lineno - node.lineno + 1}"
            for node in functions(path)
            if node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
        ]

        assert long == []

    def test_is_named_for_its_subject(self, path):
        assert path.name not in VAGUE

    def test_leaves_nothing_to_do(self, path):
        assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_tests_never_patch_our_code(path):
    text = path.read_text(encoding="utf-8")

    assert "mock" + ".patch" not in text
    assert "Magic" + "Mock" not in text


class TestLocks:
    @pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
    def test_pins_every_package_with_hashes_and_names_no_index(self, lock):
        text = (ROOT / lock).read_text(encoding="utf-8")
        packages = re.findall(r"^([a-z0-9][^\s=]*)==", text, re.MULTILINE)

        assert len(packages) > 20
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
