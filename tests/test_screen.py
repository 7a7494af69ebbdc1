"""The screen: it may let too much through, and never too little."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from evidence import only, project

from pitfall_lint import catalog, screen, screening
from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.project import Project
from pitfall_lint.semantic.spans import Spans, imports
from pitfall_lint.source import Source

SPAWNING = "PIT301"


def awake(text: str, code: str = SPAWNING, name: str = "a.py", where: Project | None = None) -> screen.Awake:
    source = Source(name, text.encode())
    where = where or project()
    return screening.build(only(code), where.libraries).wake(source, where)


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio\nasync def f():\n    asyncio.create_task(g())\n",
        "from asyncio import create_task as go\nasync def f():\n    go(g())\n",
        "import asyncio as a\nasync def f():\n    a.ensure_future(g())\n",
        "class A:\n    def f(self):\n        self.loop.create_task(g())\n",
        "async def f():\n    from asyncio import create_task\n    create_task(g())\n",
        "def f(loop):\n    x = '''\ndef g():\n'''\n    loop.create_task(g())\n",
        "import asyncio\nasyncio.get_event_loop().create_task(g())\n",
        "import asyncio\r\nasync def f():\r\n    asyncio.create_task(g())\r\n",
        "# coding: latin-1\nimport asyncio\nasync def f():\n    asyncio.create_task(g())\n",
        "import asyncio\nasync def f():\n    asyncio.create_task(g()\n",
    ],
)
def test_wakes(text: str) -> None:
    assert [rule.code for rule in awake(text).rules] == [SPAWNING]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return 1\n",
        "async def f():\n    await hass.async_create_task(g())\n",
        'def f():\n    """asyncio.create_task"""\n',
        "def create_task():\n    pass\n",
        "import asyncio  # create_task\n",
    ],
)
def test_sleeps(text: str) -> None:
    assert awake(text) == screen.ASLEEP


def test_the_line_of_the_definition_is_given() -> None:
    text = "import asyncio\n\n\ndef a():\n    pass\n\n\nasync def b():\n    x = 1\n    asyncio.create_task(g())\n"
    assert awake(text).lines == (9,)


def test_both_ways_to_look_for_words_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        """Stands in for the extra library: all places of all words, those inside of longer words, too."""

        def __init__(self, words: list[bytes], implementation: object) -> None:
            self.words = words

        def find_matches_as_indexes(self, data: bytes, overlapping: bool) -> list[tuple[int, int, int]]:
            assert overlapping
            return [
                (index, start, start + len(word))
                for index, word in enumerate(self.words)
                for start in range(len(data))
                if data.startswith(word, start)
            ]

    fake = types.SimpleNamespace(BytesAhoCorasick=Finder, Implementation=types.SimpleNamespace(DFA=None))
    monkeypatch.setitem(sys.modules, "ahocorasick_rs", fake)  # type: ignore[arg-type]
    rules, libraries = catalog.load().select(["ALL"]), project().libraries
    fast, slow = screening.build(rules, libraries), screening.build(rules, libraries, fast=False)
    data = (
        b"asyncio.create_task(x); async_create_task(y); xcreate_task; session.close(); requests.get('http://localhost')"
    )
    assert fast.find(data) == slow.find(data)
    assert "create_task" in fast.find(data)


def test_places_hold_their_offsets() -> None:
    for path in sorted(Path(screen.__file__).parent.rglob("*.py")):
        source = Source(str(path), path.read_bytes())
        spans = Spans(source)
        for offset in range(0, len(source.data), 211):
            place = spans.at(offset)
            assert place is None or place.start <= offset < place.end or source.data[offset : offset + 1].isspace()


def test_imports() -> None:
    text = b"import a.b\nimport c.d as e\nfrom .x import (\n    f,\n    g as h,\n)\nif 1:\n    from y import *\n"
    found = {name: [(b.full, b.surely) for b in bindings] for name, bindings in imports(text).items()}
    assert found == {
        "a": [("a", True)],
        "e": [("c.d", True)],
        "f": [(".x.f", True)],
        "h": [(".x.g", True)],
        "*": [("y.*", False)],
    }


def test_coroutines_know_their_classes() -> None:
    text = b"async def f(): ...\nclass A:\n    async def m(self): ...\nclass B:\n    async def m(self): ...\n"
    assert coroutines_of(text) == {"f": frozenset({""}), "m": frozenset({"A", "B"})}


def test_names_that_other_modules_pass_on(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("import asyncio\ndef fire(c):\n    return asyncio.create_task(c)\n")
    text = "from helper import fire\nasync def f():\n    fire(work())\n"
    (tmp_path / "user.py").write_text(text)
    where = Project(project().libraries, root=str(tmp_path))
    assert awake(text, name=str(tmp_path / "user.py"), where=where).lines == (2,)
