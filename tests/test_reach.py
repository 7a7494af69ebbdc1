"""Where a receiver's type comes from another definition, module or class, the definition that matters is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pitfall_lint import catalog, config, lint, run
from pitfall_lint.source import Source

CLIENT = """
class Client:
    async def get(self, key):
        return key

    async def items(self):
        return []
"""
WAYS: Mapping[str, Mapping[str, str]] = {
    "annotated": {"use.py": "from client import Client\n\nasync def use(c: Client):\n    c.get(1)\n"},
    "annotated with another name": {
        "names.py": "from typing import Annotated\nfrom client import Client\n\nThe = Annotated[Client, 1]\n",
        "use.py": "from names import The\n\nasync def use(c: The):\n    c.get(1)\n",
    },
    "made by a function that says so": {
        "make.py": "from client import Client\n\ndef make(url) -> Client:\n    return build(url)\n",
        "use.py": "from make import make\n\nasync def use():\n    c = make(1)\n    c.get(1)\n",
    },
    "made by a function that returns one": {
        "make.py": "import client\n\ndef make(url):\n    c = client.Client()\n    return c\n",
        "use.py": "import make\n\nasync def use():\n    make.make(1).get(1)\n",
    },
    "yielded by a context manager": {
        "make.py": "from contextlib import asynccontextmanager\nfrom client import Client\n\n"
        "@asynccontextmanager\nasync def opened():\n    yield Client()\n",
        "use.py": "from make import opened\n\nasync def use():\n    async with opened() as c:\n        c.get(1)\n",
    },
    "entered": {
        "make.py": "from client import Client\n\nclass Opened:\n"
        "    async def __aenter__(self) -> Client:\n        return Client()\n\n    async def __aexit__(self, *a): ...\n",
        "use.py": "from make import Opened\n\nasync def use():\n    async with Opened() as c:\n        c.get(1)\n",
    },
    "an attribute of another class": {
        "app.py": "from client import Client\n\nclass App:\n    def __init__(self):\n        self.client = Client()\n",
        "use.py": "from app import App\n\nasync def use(app: App):\n    app.client.get(1)\n",
    },
    "an attribute that is a parameter": {
        "app.py": "from client import Client\n\nclass App:\n"
        "    def __init__(self, client: Client | None = None):\n        self.client = client\n",
        "use.py": "from app import App\n\nasync def use(app: App):\n    app.client.get(1)\n",
    },
    "an annotated attribute of a base class": {
        "app.py": "from client import Client\n\nclass App:\n    client: Client\n",
        "use.py": "from app import App\n\nclass Mine(App):\n    async def use(self):\n        self.client.get(1)\n",
    },
    "a property": {
        "app.py": "from client import Client\n\nclass App:\n"
        "    @property\n    def client(self):\n        return Client()\n",
        "use.py": "from app import App\n\nasync def use(app: App):\n    app.client.get(1)\n",
    },
    "a method of another class": {
        "app.py": "from client import Client\n\nclass App:\n    def client(self):\n        return Client()\n",
        "use.py": "from app import App\n\nasync def use(app: App):\n    app.client().get(1)\n",
    },
    "an heir": {
        "heir.py": "from client import Client\n\nclass Heir(Client):\n    pass\n",
        "use.py": "from heir import Heir\n\nasync def use():\n    Heir().get(1)\n",
    },
    "an heir's own self": {
        "use.py": "from client import Client\n\nclass Heir(Client):\n    async def use(self):\n        self.get(1)\n",
    },
    "a variable of a module": {
        "shared.py": "from client import Client\n\nclient = Client()\n",
        "use.py": "from shared import client\n\nasync def use():\n    client.get(1)\n",
    },
    "handed on by a package": {
        "pkg/__init__.py": "from pkg.inner import make\n",
        "pkg/inner.py": CLIENT + "\ndef make():\n    return Client()\n",
        "use.py": "from pkg import make\n\nasync def use():\n    make().get(1)\n",
    },
    "handed on by a star": {
        "shared.py": "from client import *\n",
        "use.py": "from shared import Client\n\nasync def use():\n    Client().get(1)\n",
    },
    "a method that goes by a bare name": {
        "use.py": "from client import Client\n\nasync def use(c: Client):\n    get = c.get\n    get(1)\n",
    },
    "modules that import each other": {
        "one.py": "from two import make\n",
        "two.py": "from one import make\nfrom client import Client\n\nasync def use(c: Client):\n    c.items()\n",
        "use.py": "from one import make\nfrom client import Client\n\nasync def use(c: Client):\n    c.get(1)\n",
    },
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("learned", [False, True], ids=["alone", "among all"])
def test_the_fast_way_sees_it(tmp_path: Path, way: str, learned: bool) -> None:
    files = {"client.py": CLIENT, **WAYS[way]}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    linter = run.Linter(catalog.load(), config.Resolver(isolated=True), run.Task())
    sources = [
        (n, str(tmp_path / name), Source(str(tmp_path / name), (tmp_path / name).read_bytes()))
        for n, name in enumerate(files)
    ]
    if learned:
        linter.learn(sources)
    path = str(tmp_path / "use.py")
    source = Source(path, (tmp_path / "use.py").read_bytes())
    staged = linter.check(source, path, linter.wake(source, path))
    settings = config.Resolver(isolated=True).for_file(path)
    whole = lint.lint_source(source, linter.rules(settings, path), linter.project(settings), whole=True)
    assert [(f.code, f.span) for f in staged.findings] == [(f.code, f.span) for f in whole]
    assert [f.code for f in whole] == ["PIT302"]


SPAWNS: Mapping[str, Mapping[str, str]] = {
    "a helper": {
        "deep.py": "import asyncio\n\ndef fire(work):\n    return asyncio.create_task(work)\n",
        "between.py": "from deep import fire\n",
        "use.py": "from between import fire\n\nasync def go(work):\n    fire(work.run())\n",
    },
    "a helper by another name": {
        "deep.py": "import asyncio\n\ndef fire(work):\n    return asyncio.create_task(work)\n",
        "between.py": "from deep import fire as start\n",
        "use.py": "from between import start as begin\n\nasync def go(work):\n    begin(work.run())\n",
    },
    "a module that has the helper from another one": {
        "deep.py": "import asyncio\n\ndef fire(work):\n    return asyncio.create_task(work)\n",
        "between.py": "from deep import fire\n",
        "use.py": "import between\n\nasync def go(work):\n    between.fire(work.run())\n",
    },
    "a base class": {
        "deep.py": "import asyncio\n\nclass Base:\n    def fire(self, work):\n        return asyncio.create_task(work)\n",
        "between.py": "from deep import Base\n",
        "use.py": "from between import Base\n\nclass Mine(Base):\n"
        "    async def go(self, work):\n        self.fire(work.run())\n",
    },
}


@pytest.mark.parametrize("way", SPAWNS)
@pytest.mark.parametrize("many", [2, 200], ids=["surveyed", "one by one"])
def test_what_a_module_hands_on(tmp_path: Path, way: str, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MANY", many)
    for name, text in SPAWNS[way].items():
        (tmp_path / name).write_text(text)
    linter = run.Linter(catalog.load(), config.Resolver(isolated=True), run.Task())
    report = run.lint_paths(sorted(str(tmp_path / name) for name in SPAWNS[way]), linter)
    assert [(Path(f.path).name, f.code) for f in report.findings] == [("use.py", "PIT301")]


PLACES: Mapping[str, tuple[list[str] | None, str, str]] = {
    "below the else of a module's if": (
        ["PIT302"],
        "PIT302",
        "import sys\n\nif sys.argv:\n    x = 1\nelse:\n    from aiofiles import open as aio_open\n\n"
        "    async def use(file):\n        return aio_open(file)\n",
    ),
    "a sum whose + begins a line": (
        None,
        "PIT104",
        "import httpx\n\nbase = 'http://example.com/api/'\nitems = '/items'\n\ndef use():\n    return httpx.get(\n"
        "        base\n        + items\n    )\n",
    ),
    "the third link of a chain": (
        ["PIT209"],
        "PIT209",
        "from pathlib import Path\n\nasync def use(x):\n    return Path(x).expanduser().resolve().read_text()\n",
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("learned", [False, True], ids=["alone", "among all"])
def test_where_it_stands(tmp_path: Path, place: str, learned: bool) -> None:
    select, code, text = PLACES[place]
    own = "class Own:\n    def resolve(self): ...\n    def expanduser(self): ...\n"
    paths = []
    for name, content in {"client.py": CLIENT, "own.py": own, "use.py": text}.items():
        (tmp_path / name).write_text(content)
        paths.append(str(tmp_path / name))
    linter = run.Linter(
        catalog.load(), config.Resolver({"select": select} if select else {}, isolated=True), run.Task()
    )
    if learned:
        linter.learn([(n, path, Source(path, Path(path).read_bytes())) for n, path in enumerate(paths)])
    source = Source(paths[-1], Path(paths[-1]).read_bytes())
    staged = linter.check(source, paths[-1], linter.wake(source, paths[-1]))
    assert [f.code for f in staged.findings] == [code]
