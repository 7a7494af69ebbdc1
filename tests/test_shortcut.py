"""What an edit leaves as it was: the quick answer is the full one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("pygls")

from lsprotocol import types

from pitfall_lint.finding import Finding, Span
from pitfall_lint.fixing import splice
from pitfall_lint.server.documents import Document, Snapshot, encoded, joined
from pitfall_lint.server.session import Session
from pitfall_lint.server.shortcut import change_between, edits_between, unchanged
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


def test_unchanged() -> None:
    before, after = Source("a.py", b"one\ntwo\nthree\nfour\n"), Source("a.py", b"zero\none\n2\nthree\nfour\n")
    words = {word: before.data.index(word) for word in (b"one", b"two", b"three", b"four")}
    moved = {word: unchanged(before, after, Span(at, at + len(word))) for word, at in words.items()}
    assert moved.pop(b"two") is None
    assert all(span and after.data[span.start : span.end] == word for word, span in moved.items())
    assert unchanged(before, after, Span(0, words[b"three"])) is None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "\n", "\r", "\r\n", "\f", "𝒳"]), max_size=12),
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 3),
            st.integers(0, 2),
            st.integers(0, 3),
            st.sampled_from(["", "x", "\n", "\r", "y\r\nz"]),
        ),
        max_size=6,
    ),
)
def test_lines_after_edits(pieces: list[str], edits: list[tuple[int, int, int, int, str]]) -> None:
    """The lines of a document are those of its text, wherever ends of lines were put or taken away."""
    document = Document("file:///a.py", source="".join(pieces))
    for line, character, more, end, text in edits:
        place = types.Range(
            types.Position(line, character), types.Position(line + more, end if more else character + end)
        )
        document.apply_change(types.TextDocumentContentChangePartial(range=place, text=text))
        assert list(document.lines) == list(Document("file:///b.py", source=document.source).lines)
        assert "".join(document.lines) == document.source


def look(session: Session, folder: Path, text: str, number: int, full: bool = False) -> object:
    path = str(folder / "a.py")
    session.changed.add(path)
    return session.analyse(Snapshot("file:///a.py", path, encoded(path, text), (number, 0)), full=full)


@pytest.mark.parametrize(
    ("old", "new", "quick"),
    [
        ("        return first\n", "        return first + 1\n", True),
        ("        first = item.x\n", "        first = item.x\n        second = 2\n", True),
        ("        first = item.x\n", "", True),
        ("    return item\n", "    return item or 1\n", True),
        ("        return first\n", "        return asyncio.create_task(save(first))\n", True),
        ("        return first\n", "        asyncio.create_task(save(first))\n", True),
        ("    asyncio.create_task(save(item))\n", "    await save(item)\n", True),
        ("    asyncio.create_task(save(item))\n", "    asyncio.create_task(save(item))\n\n    item.x = 1\n", True),
        ("        return await task\n", "        return None\n", True),
        ("import asyncio\n", "import asyncio as aio\n", False),
        (
            "        return first\n",
            "        import asyncio as aio\n        return aio.create_task(save(first))\n",
            False,
        ),
        ("    def work(self, item):\n", "    def work(self, item, more):\n", False),
        ("        return first\n", "    return first\n", False),
        ("        return first\n", "        return first  # noqa: PIT301\n", True),
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
        told = without_unused(told)
        assert told == without_unused(asked)
        assert look(session, tmp_path, text, 3, full=True).findings == asked.findings


def without_unused(analysis: Any) -> list[Finding]:
    """Return the findings without the comments that silence nothing: these wait for a pause."""
    return [finding for finding in analysis.findings if finding.code != "PIT002"]


def test_what_other_functions_say_comes_in_the_pause(tmp_path: Path) -> None:
    """An edit of one function may mend what was found in another: the quick answer does not ask that one."""
    session = Session(print)
    before = look(session, tmp_path, TEXT, 1)
    text = TEXT.replace("    raise OSError(item)\n", "    return item\n")
    assert len(look(session, tmp_path, text, 2).findings) == len(before.findings)
    assert look(session, tmp_path, text, 2, full=True).findings == look(Session(print), tmp_path, text, 1).findings


def test_edit_after_edit(tmp_path: Path) -> None:
    """Quick answers are told from quick answers: findings of two edited functions stand side by side, and move."""
    session = Session(print)
    look(session, tmp_path, TEXT, 1)
    text = TEXT.replace("        return first\n", "        asyncio.create_task(save(first))\n        return first\n")
    assert look(session, tmp_path, text, 2).is_quick
    text = text.replace(
        "    return item\n", "    item = item.y\n\n    asyncio.create_task(save(item))\n    return item\n"
    )
    assert look(session, tmp_path, text, 3).is_quick
    text = text.replace("    raise OSError(item)\n", "    # why\n    raise OSError(item)\n")
    told = look(session, tmp_path, text, 4)
    assert told.is_quick
    fresh = look(Session(print), tmp_path, text, 1)
    assert [(f.code, f.span) for f in told.findings] == [(f.code, f.span) for f in fresh.findings]
    assert len(told.findings) == 3
    broken = look(session, tmp_path, text.replace("    # why\n", "    why = (\n"), 5)
    assert [finding.code for finding in broken.findings] == ["PIT001", "PIT301", "PIT301", "PIT301"]
    broken = look(session, tmp_path, text.replace("class Plain:", "class Plain(:"), 6)
    assert [finding.code for finding in broken.findings] == ["PIT301", "PIT001", "PIT301", "PIT301"]


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
        assert told.is_broken == fresh.is_broken
        if not fresh.is_broken and not told.is_quick:
            assert told.findings == fresh.findings
    full = look(session, folder, text, len(edits), full=True)
    if not full.is_broken:
        assert full.findings == look(Session(print), folder, text, 1).findings


def test_joined_cells() -> None:
    text, cells = joined([("a", "x = 1"), ("b", "%%bash\nls (\n"), ("c", "if x:\n    !ls\n    y = 2"), ("d", "")])
    assert [(cell.uri, cell.first, cell.end) for cell in cells] == [("a", 0, 1), ("b", 1, 3), ("c", 3, 6), ("d", 6, 7)]
    compile(text, "n.ipynb", "exec")
    assert text.count("\n") == 7
