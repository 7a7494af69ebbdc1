"""What an edit leaves as it was: the quick answer is the full one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("pygls")

from pitfall_lint.finding import Span
from pitfall_lint.fixing import splice
from pitfall_lint.server.documents import Snapshot, encoded, joined
from pitfall_lint.server.session import Session, edits_between
from pitfall_lint.server.shortcut import change_between
from pitfall_lint.source import Source

TEXT = """\
import asyncio


async def save(item):
    raise OSError(item)


async def lose(item):
    asyncio.create_task(save(item))


class Plain:
    def work(self, item):
        first = item.x
        return first

    async def keep(self, item):
        task = asyncio.create_task(save(item))
        return await task


def last(item):
    return item
"""


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_change_between(old: bytes, new: bytes) -> None:
    change = change_between(old, new)
    assert old[: change.head] == new[: change.head]
    assert old[change.tail :] == new[change.tail + change.shift :]
    assert change.head <= change.tail
    moved = change.moved(Span(change.tail, len(old)))
    assert moved is not None
    assert new[moved.start : moved.end] == old[change.tail :]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a\n", "b\r\n", "é\r", ""])), st.lists(st.sampled_from(["a\n", "c\n", ""])))
def test_edits_between(old: list[str], new: list[str]) -> None:
    before, after = Source("a.py", "".join(old).encode()), Source("a.py", "".join(new).encode())
    assert splice(before, edits_between(before, after)).data == after.data


def look(session: Session, folder: Path, text: str, number: int, full: bool = False) -> object:
    path = str(folder / "a.py")
    session.changed.append(path)
    return session.analyse(Snapshot("file:///a.py", path, encoded(path, text), (number, 0)), full=full)


@pytest.mark.parametrize(
    ("old", "new", "quick"),
    [
        ("        return first\n", "        return first + 1\n", True),
        ("        first = item.x\n", "        first = item.x\n        second = 2\n", True),
        ("        first = item.x\n", "", True),
        ("    return item\n", "    return item or 1\n", True),
        ("        return first\n", "        return asyncio.create_task(save(first))\n", False),
        ("        return first\n", "        asyncio.create_task(save(first))\n", False),
        ("    asyncio.create_task(save(item))\n", "    await save(item)\n", False),
        ("    raise OSError(item)\n", "    return item\n", False),
        ("import asyncio\n", "import asyncio as aio\n", False),
        ("    def work(self, item):\n", "    def work(self, item, more):\n", False),
        ("        return first\n", "    return first\n", False),
        ("        return first\n", "        return first  # noqa: PIT301\n", False),
        ("        return first\n", "        return first\n\n    def more(self):\n        pass\n", False),
        ("        return first\n", "        return '''\n", True),
    ],
)
def test_quick_is_full(tmp_path: Path, old: str, new: str, quick: bool) -> None:
    session = Session(print)
    assert look(session, tmp_path, TEXT, 1)
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    told = look(session, tmp_path, text, 2)
    assert told.is_quick is quick
    fresh = Session(print)
    asked = look(fresh, tmp_path, text, 1)
    if not asked.is_broken:
        assert told.findings == asked.findings
        assert look(session, tmp_path, text, 3, full=True).findings == asked.findings


WORDS = [
    "first",
    "item",
    "\n",
    "    ",
    "        ",
    "(",
    ")",
    "await ",
    "asyncio.create_task(save(1))",
    "'''",
    ":",
    "return ",
    "def f():",
    "#",
    "pass",
]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), st.sampled_from(WORDS)), min_size=1, max_size=5)
)
def test_any_edits(tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int, str]]) -> None:
    """After any edits the full answer is that of a server that never saw the text before."""
    folder = tmp_path_factory.mktemp("edits")
    session = Session(print)
    text = TEXT
    look(session, folder, text, 0)
    for number, (at, removed, new) in enumerate(edits, 1):
        at = min(at, len(text))
        text = text[:at] + new + text[at + removed :]
        told = look(session, folder, text, number)
        fresh = look(Session(print), folder, text, 1)
        if not told.is_broken or not told.is_quick:
            assert told.is_broken == fresh.is_broken
        if not fresh.is_broken:
            full = look(session, folder, text, number, full=True)
            assert full.findings == fresh.findings
            if not told.is_broken:
                assert told.findings == fresh.findings


def test_joined_cells() -> None:
    text, cells = joined([("a", "x = 1"), ("b", "%%bash\nls (\n"), ("c", "if x:\n    !ls\n    y = 2"), ("d", "")])
    assert [(cell.uri, cell.first, cell.end) for cell in cells] == [("a", 0, 1), ("b", 1, 3), ("c", 3, 6), ("d", 6, 7)]
    compile(text, "n.ipynb", "exec")
    assert text.count("\n") == 7
