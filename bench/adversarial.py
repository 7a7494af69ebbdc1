"""Files that nobody writes by hand: `python bench/adversarial.py` makes each, checks it, and tells what that took.

Every one has to end within the limit; what grows faster than the file is told by `--growth`, which makes it twice as
large as well. Names of cases choose some of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

LIMIT = 10.0
"""Seconds of CPU for each."""
HEAD = "import asyncio\nimport threading\n\nimport httpx\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
Files = dict[str, str]
CASES: dict[str, Callable[[int], Files]] = {}


def case(make: Callable[[int], Iterator[str]]) -> Callable[[int], Iterator[str]]:
    """Keep what makes the pieces of one file; its argument is how many times as large it is to be."""
    CASES[make.__name__] = lambda times: {"it.py": "".join(make(times))}
    return make


BRANCH = """\
    if flags[{n}]:
        client = httpx.AsyncClient(base_url=url)
        try:
            asyncio.create_task(client.get(url + "/path{n}"))
            response = await client.get(f"{{url}}/items/{{flags[{n}]}}")
            total += response.status_code
        except ValueError:
            await client.aclose()
        else:
            for item in response.json():
                total += item
                url = url.rstrip("/")
                if item > {n}:
                    break
        await client.aclose()
    total += {n}
"""


@case
def one_function(times: int) -> Iterator[str]:
    """One coroutine of 5,000 lines with 300 branches."""
    yield HEAD + "async def work(url, flags, total=0):\n"
    yield from (BRANCH.format(n=n) for n in range(300 * times))
    yield "    return total\n"


@case
def many_functions(times: int) -> Iterator[str]:
    """20,000 coroutines, each with a finding, each called by the next."""
    yield HEAD + "async def work_0(url):\n    return url\n\n\n"
    for n in range(1, 20_000 * times):
        yield f"async def work_{n}(url):\n    asyncio.create_task(work_{n - 1}(url))\n    return url\n\n\n"


@case
def quiet_functions(times: int) -> Iterator[str]:
    """20,000 plain functions that call each other, and one that starts a task."""
    yield HEAD + "async def main(url):\n    asyncio.create_task(work_7(url))\n\n\n"
    for n in range(20_000 * times):
        yield f"def work_{n}(url):\n    return work_{n + 1}(url)\n\n\n"


@case
def many_methods(times: int) -> Iterator[str]:
    """A class of 4,000 methods that keeps a client."""
    yield (
        HEAD
        + "class Client:\n    def __init__(self):\n        self.session = httpx.AsyncClient()\n        self.x0 = 0\n\n"
    )
    for n in range(4_000 * times):
        yield f"    async def get_{n}(self, url):\n        self.x{n + 1} = self.x{n}\n"
        yield f"        return await self.session.get(url + '/x' + self.x{n})\n\n"
    yield "    async def close(self):\n        await self.session.aclose()\n"


@case
def words_in_a_string(times: int) -> Iterator[str]:
    """100,000 telling words in one string."""
    yield HEAD + 'TEXT = """\n' + "create_task AsyncClient aclose Thread(\n" * (100_000 * times) + '"""\n'


@case
def words_in_strings(times: int) -> Iterator[str]:
    """20,000 strings and comments with telling words, in a function."""
    yield HEAD + "def texts():\n    return [\n"
    yield from (f'        "asyncio.create_task({n})",  # client.aclose()\n' for n in range(20_000 * times))
    yield "    ]\n"


@case
def ten_megabytes_of_data(times: int) -> Iterator[str]:
    """10 MB of a table, and a function."""
    yield HEAD + "TABLE = {\n"
    yield from (
        f'    "key_{n}": ["https://example.com/{n}", {n}, None, "create_task"],\n' for n in range(160_000 * times)
    )
    yield "}\n\n\nasync def main(work):\n    asyncio.create_task(work(TABLE))\n"


@case
def ten_megabytes_of_code(times: int) -> Iterator[str]:
    """10 MB of functions of which every hundredth tells something."""
    yield HEAD
    for n in range(60_000 * times):
        telling = "    client = httpx.Client()\n" if n % 100 == 0 else ""
        yield f"def work_{n}(first, second):\n{telling}    total = first + {n}\n    if total > second:\n"
        yield f"        return str(total) + 'of {n}'\n    return [total, second, work_{n}]\n\n\n"


@case
def many_routes(times: int) -> Iterator[str]:
    """4,000 routes of one application."""
    yield HEAD
    for n in range(4_000 * times):
        yield f"@app.get('/items/{n}/{{name}}')\nasync def item_{n}(name: str):\n    return name\n\n\n"


@case
def many_bindings(times: int) -> Iterator[str]:
    """A module that binds one name 3,000 times, and functions that use it."""
    yield HEAD + "url = ''\n"
    yield from (f"if app.flag_{n}:\n    url = url + '/x{n}'\n" for n in range(3_000 * times))
    yield "".join(f"\n\ndef use_{n}():\n    return httpx.get(url + '/path')\n" for n in range(100))


@case
def long_sum(times: int) -> Iterator[str]:
    """Texts of 2,000 parts, by + and in brackets."""
    yield HEAD + "def text(url):\n    return httpx.get(\n        url"
    yield from (f"\n        + '/a{n}' + url" for n in range(100 * times))
    yield "\n    ) or httpx.get(f'" + "/{url}" * (1_000 * times) + "')\n"


@case
def long_elif(times: int) -> Iterator[str]:
    """A chain of 900 conditions, each with a client."""
    yield HEAD + "async def work(kind, url):\n    if kind == -1:\n        client = None\n"
    for n in range(900 * times):
        yield f"    elif kind == {n}:\n        client = httpx.AsyncClient(base_url=url + '/{n}')\n"
    yield "    else:\n        return\n    await client.get('/x')\n    await client.aclose()\n"


@case
def nested_finally(times: int) -> Iterator[str]:
    """14 `try` inside each other, each with a `finally`, 20 times."""
    yield HEAD
    for n in range(20 * times):
        yield f"async def work_{n}(url):\n    client = httpx.AsyncClient()\n"
        for depth in range(14):
            yield "    " * (depth + 1) + "try:\n" + "    " * (depth + 2) + f"await client.get(url + '/{depth}')\n"
        for depth in reversed(range(14)):
            yield "    " * (depth + 1) + "finally:\n" + "    " * (depth + 2) + "await client.aclose()\n"
        yield "\n\n"


@case
def nested_functions(times: int) -> Iterator[str]:
    """Functions inside each other, 40 deep, 20 times."""
    yield HEAD
    for n in range(20 * times):
        for depth in range(40):
            yield "    " * depth + f"async def inner_{n}_{depth}(url):\n"
            yield "    " * (depth + 1) + f"asyncio.create_task(inner_{n}_{depth}(url))\n"
        yield "\n\n"


@case
def many_tries(times: int) -> Iterator[str]:
    """A coroutine with 400 handlers around waits, and flags that tie its conditions together."""
    yield HEAD + "async def work(url, stop):\n    client = httpx.AsyncClient()\n    done = None\n    while True:\n"
    for n in range(400 * times):
        yield f"        try:\n            flag_{n} = await client.get(url)\n            if flag_{n} and not done:\n"
        yield f"                done = flag_{n}\n        except Exception:\n            if stop is None or done:\n"
        yield "                continue\n            await client.aclose()\n"
    yield "        await client.aclose()\n"


def _web(times: int) -> Files:
    """300 modules that import each other by `*` and by name."""
    count = 300 * times
    files = {"web/__init__.py": ""}
    for n in range(count):
        others = [(n + step) % count for step in (1, 2, 7, 50)]
        text = "import asyncio\n" + "".join(f"from web.m{o} import *\nfrom web.m{o} import work_{o}\n" for o in others)
        calls = "".join(f"    work_{o}(url)\n    asyncio.create_task(work_{o}(url))\n" for o in others)
        files[f"web/m{n}.py"] = f"{text}\n\nasync def work_{n}(url):\n{calls}"
    return files


CASES["web_of_modules"] = _web


def spent(files: Files, timeout: float) -> tuple[float, float, str]:
    """Return the CPU seconds that checking some files takes, the megabytes of their text, and how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        size = sum(map(len, files.values())) / 1e6
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "pitfall_lint", "--isolated", "--no-cache", "--jobs=1", "--statistics", "."]
        try:
            done = subprocess.run(
                command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=timeout
            )
            ended = f"exit {done.returncode}" + (f", {done.stderr.strip()[:80]}" if done.stderr.strip() else "")
        except subprocess.TimeoutExpired:
            ended = "not ended"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, size, ended


def main() -> int:
    """Check the cases; 1 when one took too long or did not end well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    parser.add_argument("--growth", action="store_true", help="check each at twice its size, too")
    parser.add_argument("--write", type=Path, help="write the files into this folder instead of checking them")
    options = parser.parse_args()
    slow = 0
    for name in options.cases or CASES:
        if options.write is not None:
            for file, text in CASES[name](1).items():
                path = options.write / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            continue
        seconds, size, ended = spent(CASES[name](1), 6 * LIMIT)
        growth = f", twice as large: {spent(CASES[name](2), 12 * LIMIT)[0]:.1f} s" if options.growth else ""
        slow += seconds > LIMIT or not ended.startswith(("exit 0", "exit 1"))
        print(f"{name:24}{size:6.1f} MB {seconds:6.1f} s of CPU{growth}  ({ended})", flush=True)
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
