"""What the rules on loops say by default, and what only to those who select them."""

from __future__ import annotations

import pytest
from evidence import project, rules

from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

HEAD = """
import asyncio
import functools
import subprocess


def command(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return asyncio.run(function(*args, **kwargs))

    return wrapper


def compile_all():
    subprocess.run(["make"], check=True)


"""
CASES = [
    ("run by its decorator", "@command\nasync def build():\n    compile_all()\n", True),
    ("anybody's", "async def build():\n    compile_all()\n", False),
    (
        "run by its decorator, with tasks beside it",
        "@command\nasync def build(other):\n    asyncio.create_task(other())\n    compile_all()\n",
        False,
    ),
]


@pytest.mark.parametrize(("text", "strict"), [pytest.param(t, s, id=i) for i, t, s in CASES])
def test_strict(text: str, strict: bool) -> None:
    source = Source("module.py", (HEAD + text).encode())
    assert len(lint_source(source, rules().select(["PIT209"]), project())) == 1
    found = [f for f in lint_source(source, rules().select(), project()) if f.code == "PIT209"]
    assert len(found) == (0 if strict else 1)
