"""What the rules on tasks say by default, and what only to those who select them."""

from __future__ import annotations

import pytest
from evidence import project, rules

from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

HEAD = """
import asyncio
import atexit
import signal
from concurrent.futures import ThreadPoolExecutor


async def work(store):
    await store.write(1)


"""
CASES = [
    (
        "a handler of SIGTERM",
        "def f(loop: asyncio.AbstractEventLoop, s):\n"
        "    loop.add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(work(s)))\n",
        True,
    ),
    (
        "a handler of SIGHUP goes on",
        "def f(loop: asyncio.AbstractEventLoop, s):\n"
        "    loop.add_signal_handler(signal.SIGHUP, lambda: asyncio.ensure_future(work(s)))\n",
        False,
    ),
    (
        "a named handler",
        "def f(s):\n    def stop(*_):\n        asyncio.ensure_future(work(s))\n\n    signal.signal(signal.SIGINT, stop)\n",
        True,
    ),
    ("atexit", "def f(s):\n    atexit.register(lambda: asyncio.ensure_future(work(s)))\n", True),
    ("__del__", "class A:\n    def __del__(self):\n        asyncio.ensure_future(work(self))\n", True),
    (
        "a public attribute",
        "class A:\n    def go(self):\n        self.task = asyncio.ensure_future(work(self))\n",
        True,
    ),
    ("a drop", "def f(s):\n    asyncio.ensure_future(work(s))\n", False),
]


@pytest.mark.parametrize(("text", "strict"), [pytest.param(t, s, id=i) for i, t, s in CASES])
def test_strict(text: str, strict: bool) -> None:
    source = Source("module.py", (HEAD + text).encode())
    assert len(lint_source(source, rules().select(["PIT301"]), project())) == 1
    found = [f for f in lint_source(source, rules().select(), project()) if f.code == "PIT301"]
    assert len(found) == (0 if strict else 1)
