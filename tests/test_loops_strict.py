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
    (
        "the end of what asyncio.run runs",
        "async def main():\n    try:\n        await asyncio.gather(*asyncio.all_tasks())\n"
        "    finally:\n        compile_all()\n\n\nasyncio.run(main())\n",
        True,
    ),
    (
        "an end that is waited behind",
        "async def main():\n    try:\n        await asyncio.gather(*asyncio.all_tasks())\n"
        "    finally:\n        compile_all()\n        await asyncio.sleep(1)\n\n\nasyncio.run(main())\n",
        False,
    ),
    (
        "awaited by what asyncio.run runs",
        "async def build():\n    await asyncio.sleep(1)\n    compile_all()\n\n\n"
        "async def main():\n    await asyncio.wait_for(asyncio.sleep(1), 2)\n    await build()\n\n\n"
        "async def others():\n    asyncio.create_task(asyncio.sleep(1))\n\n\nasyncio.run(main())\n",
        True,
    ),
    (
        "awaited by it, with tasks beside it",
        "async def build():\n    await asyncio.sleep(1)\n    compile_all()\n\n\n"
        "async def main():\n    others()\n    await build()\n\n\n"
        "def others():\n    return asyncio.create_task(asyncio.sleep(1))\n\n\nasyncio.run(main())\n",
        False,
    ),
    (
        "awaited by others as well",
        "async def build():\n    await asyncio.sleep(1)\n    compile_all()\n\n\n"
        "async def main():\n    await build()\n\n\n"
        "async def handler(request):\n    await build()\n\n\nasyncio.run(main())\n",
        False,
    ),
    (
        "the start of what a function of its own runs",
        "def run(coroutine):\n    try:\n        return asyncio.run(coroutine)\n    except OSError:\n        return None\n"
        "\n\ndef build():\n    async def start():\n        compile_all()\n        await asyncio.gather(*asyncio.all_tasks())"
        "\n\n    run(start())\n",
        True,
    ),
    (
        "the start of what runs on somebody's loop",
        "def run(coroutine, loop):\n    return asyncio.run_coroutine_threadsafe(coroutine, loop)\n"
        "\n\ndef build(loop):\n    async def start():\n        compile_all()\n        await asyncio.gather(*asyncio.all_tasks())"
        "\n\n    run(start(), loop)\n",
        False,
    ),
]


@pytest.mark.parametrize(("text", "strict"), [pytest.param(t, s, id=i) for i, t, s in CASES])
def test_strict(text: str, strict: bool) -> None:
    source = Source("module.py", (HEAD + text).encode())
    assert len(lint_source(source, rules().select(["PIT209"]), project())) == 1
    found = [f for f in lint_source(source, rules().select(), project()) if f.code == "PIT209"]
    assert len(found) == (0 if strict else 1)
