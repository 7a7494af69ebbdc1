"""Pieces that are kept: read one by one, put together again now and then, and never believed when they are not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from pitfall_lint.pile import Pile


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path))
    return tmp_path


def piles(folder: Path) -> list[Path]:
    return sorted(folder.glob("pile-*"))


def test_what_is_new_stands_beside_what_is_there(folder: Path) -> None:
    first = Pile("x")
    first.put("a", (1, b"one"))
    first.put("b", [2])
    where = first.write()
    second = Pile("x", where)
    second.put("b", [3])
    where = second.write()
    assert len(piles(folder)) == 2
    third = Pile("x", where)
    assert (third.read("a"), third.read("b"), third.read("c")) == ((1, b"one"), [3], None)


def test_many_files_become_one(folder: Path) -> None:
    where = None
    for number in range(20):
        pile = Pile("x", where)
        pile.put(str(number), number)
        where = pile.write()
        assert len(piles(folder)) <= 8
    pile = Pile("x", where)
    assert [pile.read(str(number)) for number in range(20)] == list(range(20))
    pile.keep_only({"3"})
    pile.put("new", 0)
    pile.write()
    assert set(where or {}) >= {"3"}
    assert pile.read("4") is None


def test_two_at_once_do_not_disturb_each_other(folder: Path) -> None:
    one, other = Pile("x"), Pile("x")
    one.put("a", 1)
    other.put("a", 2)
    here, there = one.write(), other.write()
    assert (Pile("x", here).read("a"), Pile("x", there).read("a")) == (1, 2)


@pytest.mark.parametrize("damage", ["gone", "short", "changed", "swapped"])
def test_damage_is_seen(folder: Path, damage: str) -> None:
    pile = Pile("x")
    pile.put("a", "one")
    pile.put("b", "two")
    where = dict(pile.write())
    file = piles(folder)[0]
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "short":
        file.write_bytes(data[:20])
    elif damage == "changed":
        file.write_bytes(data.replace(b"one", b"two"))
    else:
        where = {"a": where["b"], "b": where["a"]}
    assert Pile("x", where).read("a") is None
