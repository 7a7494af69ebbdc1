"""A screen that outlives an edit: what it kept of a file, or learnt from it, is not used after `forget`."""

from __future__ import annotations

from pathlib import Path

from evidence import project, rows, rules

from pitfall_lint.screening import build
from pitfall_lint.source import Source

USER = "from store import save\n\n\nasync def main():\n    save()\n"


def test_forget(tmp_path: Path) -> None:
    store, user = tmp_path / "store.py", tmp_path / "user.py"
    screen, where = build(rules().select(), rows()), project(tmp_path)
    user.write_text(USER)
    for text, wakes in (("def save(): ...\n", False), ("async def save(): ...\n", True), ("save = print\n", False)):
        store.write_text(text)
        where.forget(str(store))
        screen.forget(str(store))
        awake = screen.wake(Source(str(user), USER.encode()), where)
        assert bool(awake.rules) is wakes, text
