"""`--timing` tells all stages and the right lines; and how many lines are parsed stays within bounds, since counts don't flicker."""

from __future__ import annotations

import ast
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from pitfall_lint import catalog, config, run, timing, workers

LOST = "async def main(save):\n    one = 1\n    two = 2\n    asyncio.create_task(save(one + two))\n    return two\n"
"""A function of five lines, which is woken."""
QUIET = "".join(f"def f{number}(a):\n    b = a + {number}\n    return b * 2\n\n\n" for number in range(20))


def lint(folder: Path, *arguments: str, cached: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "80", "PITFALL_LINT_CACHE_DIR": f"{folder}.cache"}
    environment.pop("PITFALL_LINT_NO_CACHE", None)
    line = [sys.executable, "-m", "pitfall_lint", *arguments, *([] if cached else ["--no-cache"])]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, env=environment, timeout=120)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "quiet.py").write_text(QUIET)
    (tmp_path / "lost.py").write_text("import asyncio\n\n\n" + LOST)
    return tmp_path


def test_it_tells_every_stage_the_lines_and_the_rules(tree: Path) -> None:
    plain, timed = lint(tree, "--output-format=concise"), lint(tree, "--output-format=concise", "--timing", ".")
    assert timed.stdout == plain.stdout
    assert timed.returncode == plain.returncode == 1
    told = [line for line in timed.stderr.splitlines() if line.startswith("  ")]
    assert [line.split()[0] for line in told[1 : 1 + len(timing.STAGES)]] == list(timing.STAGES)
    assert "  PIT301 lost-task-exception " in timed.stderr
    assert f"Lines: {QUIET.count(chr(10)) + 8}; read by ast" in timed.stderr
    assert "Files: 2, of which 1 were looked at" in timed.stderr
    assert max(map(len, timed.stderr.splitlines())) <= 80
    assert "Time" not in plain.stderr


def test_the_lines_are_those_of_the_one_function(tree: Path) -> None:
    found = json.loads(lint(tree, "--timing=json").stderr)
    assert set(found["stages"]) == set(timing.STAGES)
    assert found["files"] == {"all": 2, "looked": 1}
    assert found["lines"]["ast"] in (5, 5 + 4)
    assert found["rules"]["PIT301"]["definitions"] == 1
    assert found["lines"]["drafts"] in (5, 5 + 4), "the function, and perhaps the module around it"
    assert found["lines"]["libcst"] == 0, "a draft tells where a call stands, and how it is mended"
    spent = ("start", "screen", "wake", "ast", "syntax", "import", "drafts", "trees", "checks")
    assert all(found["stages"][stage] > 0 for stage in spent), found["stages"]
    assert sum(found["stages"].values()) == pytest.approx(found["cpu_ms"], rel=0.02)


def test_a_run_that_knows_everything_is_timed_as_such(tree: Path) -> None:
    for _ in range(2):
        found = json.loads(lint(tree, "--timing=json", cached=True).stderr)
    assert found["files"] == {"all": 2, "looked": 0}
    assert found["lines"]["libcst"] == 0
    assert found["stages"]["cache"] > 0
    assert found["stages"]["import"] == 0


@pytest.mark.skipif(not workers.can_fork(), reason="needs fork")
def test_processes_are_summed(tmp_path: Path) -> None:
    for number in range(run.MANY):
        (tmp_path / f"m{number:03}.py").write_text("import asyncio\n\n\n" + LOST)
    found = json.loads(lint(tmp_path, "--timing=json", "--jobs=2").stderr)
    alone = json.loads(lint(tmp_path, "--timing=json", "--jobs=1").stderr)
    assert (found["processes"], alone["processes"]) == (2, 1)
    assert found["files"] == alone["files"] == {"all": run.MANY, "looked": run.MANY}
    assert found["lines"] == alone["lines"]
    assert {code: rule["definitions"] for code, rule in found["rules"].items()} == {
        code: rule["definitions"] for code, rule in alone["rules"].items()
    }


def test_without_it_nobody_listens() -> None:
    parse = ast.parse
    timing.start()
    timing.listen()
    assert ast.parse is not parse
    timing.stop()
    assert ast.parse is parse
    assert timing.stage("screen") is timing.stage("checks"), "one object that does nothing"


# A service as people write them: most of its functions are of no interest, and some only look as if they were.

HEAD = '''
"""What the service knows of {name}."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
{imports}
LOG = logging.getLogger(__name__)
LIMIT = {number}


@dataclass
class {Name}:
    """One {name}, as it is stored."""

    key: str
    parent: {Name} | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many parents it has."""
        return 0 if self.parent is None else self.parent.depth + 1

    def walk(self) -> Iterator[{Name}]:
        """Yield it and its parents."""
        current: {Name} | None = self
        while current is not None:
            yield current
            current = current.parent

'''
PLAIN = '''
def {verb}_{name}(items: list[{Name}], limit: int = LIMIT) -> dict[str, {Name}]:
    """Return the {name}s by key, at most `limit` of them."""
    found: dict[str, {Name}] = {{}}
    for item in items:
        if item.key in found:
            LOG.warning("%s stands there twice", item.key)
            continue
        if len(found) >= limit:
            break
        found[item.key] = item
    return found

'''
CLIENT = '''
class {Name}Client:
    """Asks the other service for {name}s."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, key: str) -> dict[str, str]:
        """Return one."""
        async with self._session.get(f"/{name}s/{{key}}") as response:
            response.raise_for_status()
            return await response.json()

    async def close(self) -> None:
        """Give the connections back."""
        await self._session.close()

'''
ROUTE = '''
router = APIRouter(prefix="/{name}s")


@router.get("/{{key}}")
async def read_{name}(key: str) -> dict[str, str]:
    """Answer with one {name}."""
    await asyncio.sleep(0)
    return {{"key": key, "kind": "{name}"}}

'''
TASK = '''
async def refresh_{name}s(keys: list[str]) -> list[str]:
    """Ask for all of them at once."""
    tasks = [asyncio.create_task(asyncio.sleep(0, key)) for key in keys]
    return list(await asyncio.gather(*tasks))

'''
BAD = '''
async def forget_{name}(store: {Name}, key: str) -> None:
    """Forget one, some time."""
    asyncio.create_task(store.remove(key))

'''
TEST = """
def test_{name}_walk() -> None:
    top = {Name}("top")
    inner = {Name}("inner", top)
    assert [item.key for item in inner.walk()] == ["inner", "top"]
    assert inner.depth == 1

"""
FILES = 200


def service(folder: Path) -> Iterator[str]:
    """Write the service, the same one each time, and yield its files."""
    chance = random.Random(5)
    for number in range(FILES):
        package = folder / f"part{number // 20:02}"
        package.mkdir(exist_ok=True)
        if number % 20 == 0:
            (package / "__init__.py").write_text("")
        name = f"thing{number}"
        pieces = [PLAIN.replace("{verb}", verb) for verb in chance.sample(["index", "order", "merge", "count"], 3)]
        imports = []
        for every, piece, line in (
            (6, CLIENT, "\nimport aiohttp\n"),
            (5, ROUTE, "\nimport asyncio\n\nfrom fastapi import APIRouter\n"),
            (9, TASK, "\nimport asyncio\n"),
            (25, BAD, "\nimport asyncio\n"),
            (3, TEST, ""),
        ):
            if number % every == 0:
                pieces.append(piece)
                imports.append(line)
        if number % 20:
            imports.append(f"\nfrom part{number // 20:02}.thing{number - 1} import Thing{number - 1}\n")
        chance.shuffle(pieces)
        text = "".join([HEAD, *pieces]).replace("{imports}", "".join(dict.fromkeys(imports)))
        path = package / f"{name}.py"
        path.write_text(dedent(text).lstrip().format(name=name, Name=name.capitalize(), number=number))
        yield str(path)


def measured(paths: list[str], selector: list[str] | None) -> tuple[timing.Figures, run.Report]:
    overrides = {} if selector is None else {"select": selector}
    clock = timing.start()
    timing.listen()
    try:
        report = run.lint_paths(
            paths, run.Linter(catalog.load(), config.Resolver(overrides, isolated=True), run.Task())
        )
        report.figures.add(clock.take())
        return report.figures, report
    finally:
        timing.stop()


@pytest.mark.parametrize(
    ("selector", "most"), [(None, (0.331, 0.062, 0.03)), (["ALL"], (0.409, 0.175, 0.03))], ids=["default", "ALL"]
)
def test_few_lines_are_parsed(
    tmp_path: Path, selector: list[str] | None, most: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that begins to look at more than it has to shows here: the bounds are a tenth above what was counted."""
    monkeypatch.chdir(tmp_path)
    paths = list(service(tmp_path))
    every = sum(Path(path).read_text().count("\n") for path in paths)
    assert every == 16_493
    figures, report = measured(paths, selector)
    assert sum(finding.code == "PIT301" for finding in report.findings) == FILES // 25
    for kind, bound in zip(("ast", "drafts", "libcst"), most, strict=True):
        share = figures.lines[kind] / every
        assert share <= bound, f"{share:.2%} of {every:,} lines reached {kind}"
