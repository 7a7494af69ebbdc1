"""After any edit of a project the findings from memory are those of a run that remembers nothing."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from pitfall_lint import catalog, config, echoing, run
from pitfall_lint.remembering import Memory

NAMES = ("alpha", "beta", "gamma", "delta")
HEAD = "import asyncio\nimport time\n\nimport httpx\nimport requests\n"
MAKERS = (
    "def {f}():\n    return httpx.AsyncClient()\n",
    "def {f}():\n    made = {g}()\n    return made\n",
    "def {f}():\n    return None\n",
    "async def {f}():\n    return {g}()\n",
    "def {f}(work=None):\n    return asyncio.create_task(work)\n",
    "def {f}(work=None):\n    return {g}(work)\n",
    "async def {f}(work=None):\n    {g}(work)\n    {C}().{m}(1)\n",
    "async def {f}(it: {C}):\n    {g}(it.{m}())\n    it.{a}.{m}()\n    it.{n}()\n",
    "async def {f}():\n    with {g}() as it:\n        it.get('/x')\n    {g}(1).get('/x')\n",
    "def {f}(key=0):\n    time.sleep(1)\n",
    "def {f}(key=0):\n    {g}(key)\n",
    "async def {f}(key=0):\n    {g}(key)\n",
    "async def {f}(key=0):\n    await asyncio.sleep(1)\n    return {C}()\n",
    "def {f}() -> {C}:\n    return {g}()\n",
    "def {f}(key=0):\n    return requests.get({g}(key), timeout=3)\n",
    "{f} = {C}()\n",
    "{f} = {g}\n",
    "async def {f}():\n    async with {C}() as it:\n        it.{m}(1)\n",
    "async def {f}():\n    {g}().{m}(1)\n",
    "async def {f}(it: {C}):\n    it.{m}(1)\n    it.{a}.{m}(2)\n",
    "async def {f}():\n    {g}()\n    {C}().{m}()\n",
    "def {f}(url='/x'):\n    return 'http://localhost:80/' + url\n",
)
CLASSES = (
    "class {C}({D}):\n    async def {m}(self, key=0):\n        return self.{a}\n",
    "class {C}({D}):\n    def {m}(self, key=0):\n        self.{n}(key)\n",
    "class {C}({D}):\n    def __init__(self):\n        self.{a} = {g}()\n",
    "class {C}({D}):\n    {a}: {D}\n\n    def {m}(self, key=0):\n        time.sleep(key)\n",
    "class {C}({D}):\n    async def __aenter__(self):\n        return {g}()\n\n    async def __aexit__(self, *a): ...\n",
    "class {C}({D}):\n    async def {m}(self, key=0):\n        self.{a}.{n}(1)\n        {g}()\n",
)


class Project:
    """Texts that change at random."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.pieces: dict[str, list[str]] = {}
        for name in NAMES:
            self.pieces[name] = [self.piece() for _ in range(6)]
            self.write(name)

    def piece(self) -> str:
        pick = self.random.choice
        names = {"f": f"f{pick('1234')}", "g": f"f{pick('1234')}", "C": f"C{pick('123')}", "m": f"m{pick('12')}"}
        names |= {"D": pick(["object", "C1", "C2", "C3"]), "n": f"m{pick('12')}", "a": f"a{pick('12')}"}
        return pick(MAKERS + CLASSES * 2).format(**names)

    def write(self, name: str) -> None:
        body = "\n\n".join(self.pieces[name])
        lines = []
        for number, word in enumerate(("f1", "f2", "f3", "f4", "C1", "C2", "C3")):
            other = NAMES[(number + NAMES.index(name)) % len(NAMES)]
            if word in body and not re.search(rf"^(async def|def|class) {word}|^{word} =", body, re.MULTILINE):
                lines.append(f"from {other} import {word}\n" if other != name else f"import {NAMES[0]} as {word}\n")
        (self.folder / f"{name}.py").write_text(f"{HEAD}{''.join(lines)}\n\n{body}")

    def change(self) -> None:
        name = self.random.choice(NAMES)
        kind = self.random.randrange(8)
        pieces = self.pieces[name]
        if kind == 0 and (self.folder / f"{name}.py").exists():
            (self.folder / f"{name}.py").unlink()
            return
        if kind == 1:
            pieces.append(self.piece())
        elif kind == 2 and pieces:
            pieces.pop(self.random.randrange(len(pieces)))
        elif kind == 3:
            at = self.random.randrange(len(pieces) + 1)
            pieces.insert(at, f"# {self.random.random()}\n")
        elif kind == 4 and pieces:
            at = self.random.randrange(len(pieces))
            pieces[at] = pieces[at].replace("async def", "def") if "async def" in pieces[at] else f"async {pieces[at]}"
            if not pieces[at].startswith(("async def", "def", "class")):
                pieces[at] = self.piece()
        elif pieces:
            pieces[self.random.randrange(len(pieces))] = self.piece()
        self.write(name)


@pytest.mark.parametrize("many", [2, 200], ids=["surveyed", "one by one"])
@pytest.mark.parametrize("seed", range(4))
def test_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, many: int) -> None:
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(run, "MANY", many)
    if seed % 2:  # few files name a method here: then it is followed by its class as well, as in a large project
        monkeypatch.setattr(echoing, "_FEW", 0)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    project, rules = Project(folder, seed), catalog.load()
    for step in range(25):
        paths = sorted(str(path) for path in folder.glob("*.py"))

        def findings(memory: Memory | None, paths: list[str] = paths) -> list[object]:
            linter = run.Linter(rules, config.Resolver({}), run.Task())
            return run.lint_paths(paths, linter, memory=memory, jobs=1).findings

        plain = findings(None)
        assert findings(Memory("test", [], paths)) == plain, f"step {step}"
        project.change()
