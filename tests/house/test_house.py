"""The house keeps its shape: sizes, names, directions, words."""

import ast
import re
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for package in ("hedgerow", "app")
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts
)
DRAWERS = {
    "utils",
    "util",
    "helpers",
    "common",
    "misc",
    "base",
    "manager",
    "service",
    "core",
}
READS_ENVIRONMENT = {"hedgerow/settings.py", "app/config.py"}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines
REASONED = re.compile(
    r"# (noqa: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)*|type: ignore\[[a-z, -]+\])\W+\w[\w']* \S"
)


@cache
def tree(path):
    return ast.parse(path.read_text())


@cache
def functions(path):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]


def offenders(rule):
    """Return which files break a rule, and where: ``rule(path)`` lists the places."""
    found = {path.relative_to(ROOT).as_posix(): list(rule(path)) for path in SOURCES}
    return {name: places for name, places in found.items() if places}


def test_there_are_files_to_watch_over():
    assert len(SOURCES) > 200


def test_a_file_has_a_real_name():
    assert offenders(lambda path: {path.stem} & DRAWERS) == {}


def test_a_file_fits_in_the_head():
    lines = {path: len(path.read_text().splitlines()) for path in SOURCES}

    assert offenders(lambda path: [lines[path]] * (lines[path] > LONGEST_FILE)) == {}


def test_a_function_fits_a_screen():
    def long(path):
        for node in functions(path):
            if node.end_lineno - node.lineno >= LONGEST_FUNCTION:
                yield node.name

    assert offenders(long) == {}


def test_imports_stand_at_the_top():
    def hidden(path):
        for node in functions(path):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno

    assert offenders(hidden) == {}


def test_the_environment_is_read_in_one_place_of_each_program():
    def reads(path):
        if path.relative_to(ROOT).as_posix() in READS_ENVIRONMENT:
            return
        for node in ast.walk(tree(path)):
            of_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if of_os and node.value.id == "os" and node.attr in {"environ", "getenv"}:
                yield node.lineno

    assert offenders(reads) == {}


def test_an_exemption_gives_its_reason():
    def bare(path):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"#\s*(noqa|type: ignore)", line) and not REASONED.search(line):
                yield number

    assert offenders(bare) == {}


def test_a_module_says_what_it_is():
    def silent(path):
        if path.read_text().strip() and not ast.get_docstring(tree(path)):
            yield 1

    assert offenders(silent) == {}


def test_nothing_unfinished_is_left_behind():
    words = re.compile(
        "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error"))
    )

    assert offenders(lambda path: words.findall(path.read_text())) == {}


def test_lock_files_hold_no_address():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock"):
        assert "://" not in (ROOT / name).read_text()
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_every_dependency_is_justified():
    page = (ROOT / "docs/dependencies.md").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *chain(*project["project"]["optional-dependencies"].values()),
        *project["dependency-groups"]["dev"],
    ]
    names = [re.match("[a-z0-9-]+", line)[0].removeprefix("types-") for line in wanted]

    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []
