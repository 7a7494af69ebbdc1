"""The laws of the house that a machine can read: who imports whom, whose names stand where, how long files are."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import pitfall_lint
from pitfall_lint import catalog

SRC = Path(pitfall_lint.__file__).parent
ROOT = SRC.parent.parent
LAYERS = """
    cli server
    reporters diagnose baseline since why watch
    repeating remembering neighbours spread
    echoing plain
    run sending
    parcel
    linter
    opening
    compiled grading installed
    touched
    pile
    lint cache glance screen screening discover ignoring workers
    noqa finder report awake asked
    timing
    suppressions
    catalog page
    checks
    semantic
    libraries versions ranges fixing config
    finding source patterns
"""
LEVEL = {room: level for level, line in enumerate(reversed(LAYERS.strip().split("\n"))) for room in line.split()}
OUTSIDE = {"__init__", "__main__"}
LONGEST = 400  # about 350 is the aim
LONGEST_CHECK = 120
OUR_LIBRARIES = {
    "libcst",
    "click",
    "tomli",
    "pathspec",
    "packaging",
    "rich",
    "pygls",
    "lsprotocol",
    "watchfiles",
    "distributed",
}
FAST_PATH = {"ahocorasick_rs"}
PLAIN_WORDS = {"websocket"}
"""Names of libraries that are kinds of things here, too, as long as no dot follows."""
MODULES = sorted(SRC.rglob("*.py"))


def room(path: Path) -> str:
    """Return the room of a module: its first folder or its own name."""
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def ident(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute dotted names that a module imports, inside of functions and type checks, too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{ident(path)}: imports are absolute here"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def room_of(name: str) -> str | None:
    """Return the room that a dotted name of ours means."""
    parts = name.split(".")
    if parts[0] != "pitfall_lint":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in LEVEL else "__init__"


@pytest.mark.parametrize("path", MODULES, ids=ident)
def test_imports_point_down(path: Path) -> None:
    own = room(path)
    if own in OUTSIDE:
        return
    assert own in LEVEL, f"{own} has no place in LAYERS"
    for name in imports(path):
        other = room_of(name)
        if other is not None and other not in OUTSIDE and other != own:
            assert LEVEL[other] <= LEVEL[own], f"{own} must not import {name}"


def runtime_imports(path: Path) -> set[str]:
    """Return what a module imports outside of `if TYPE_CHECKING`."""
    hidden = {
        id(inner)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) == "checks"], ids=ident)
def test_checks_only_ask(path: Path) -> None:
    """A check imports no other check, holds no class and no state, and does no input or output."""
    for name in imports(path):
        top = name.partition(".")[0]
        allowed = top in {"libcst", "__future__"} or top in sys.stdlib_module_names
        ours = room_of(name) in {"semantic", "libraries", "finding", "source"}
        assert allowed or ours, f"a check must not import {name}"
        assert top not in {"os", "io", "pathlib", "subprocess", "socket", "shutil", "tempfile"}, name
    for node in tree(path).body:
        assert not isinstance(node, ast.ClassDef), "a check holds no class"
    for node in ast.walk(tree(path)):
        assert not isinstance(node, (ast.Global, ast.Nonlocal)), "a check holds no state"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input", "eval", "exec"}, node.func.id


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "__init__.py"], ids=ident)
def test_length(path: Path) -> None:
    limit = LONGEST_CHECK if room(path) == "checks" else LONGEST
    length = len(path.read_text("utf-8").splitlines())
    assert length <= limit, f"{length} lines: it holds two thoughts"


@pytest.mark.parametrize("path", MODULES, ids=ident)
def test_begins_with_what_it_is_for(path: Path) -> None:
    if path.read_text("utf-8").strip() and room(path) != "__init__":
        assert ast.get_docstring(tree(path)), "a module begins with one sentence that says what it is for"


@cache
def library_names() -> frozenset[str]:
    """Return the import names of the third-party libraries that rows speak of."""
    names: set[str] = set()
    for path in catalog.library_files():
        for text in re.findall(r'"([A-Za-z_]\w*)(?:\.\w+)+"', path.read_text("utf-8")):
            names.add(text)
    return frozenset(names) - sys.stdlib_module_names - OUR_LIBRARIES - FAST_PATH - {"pitfall_lint"}


def spoken(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings and imported names of a module's code, without docstrings."""
    docstrings = set()
    for node in ast.walk(tree(path)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                docstrings.add(id(statement.value))
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield node.lineno, alias.name
            yield node.lineno, getattr(node, "module", "") or ""


@pytest.mark.parametrize("path", MODULES, ids=ident)
def test_library_names_stand_in_rows_only(path: Path) -> None:
    for line, text in spoken(path):
        if "\n" in text:
            continue
        named = set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text)) & library_names()
        dotted = {n for n in named if re.fullmatch(rf"{n}(\.\w+)*", text)} - ({text} & PLAIN_WORDS)
        assert not dotted, f"line {line}: {text!r} names a library: it belongs into rules/libraries/"


BANNED = ("utils", "util", "helpers", "helper", "common", "types", "misc")


def test_no_drawers() -> None:
    drawers = [ident(path) for path in MODULES if path.stem in BANNED or path.parent.name in BANNED]
    assert not drawers


@pytest.mark.parametrize("folder", ["src", "rules", "tests", "bench", "editors", ".ci"])
def test_no_paths_of_a_machine(folder: str) -> None:
    if not (SRC.parent.name == "src" and (ROOT / "rules").is_dir()):
        pytest.skip("not a checkout")
    secret = re.compile(rb"(?<![\w./~])/(?:work|root)/\w")
    for path in (ROOT / folder).rglob("*"):
        if "node_modules" in path.parts or not path.is_file() or path.suffix in {".pyc", ".png", ".vsix"}:
            continue
        assert not secret.search(path.read_bytes()), f"{path.relative_to(ROOT)} names a path of this machine"


def test_nothing_heavy_at_start() -> None:
    """Importing the catalogue does not import LibCST or an editor's protocol."""
    import subprocess

    code = "import sys, pitfall_lint.catalog; print(sorted({'libcst', 'rich', 'pygls', 'ast'} & sys.modules.keys()))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "libcst" not in out
    assert "pygls" not in out
