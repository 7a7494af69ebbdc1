"""What the engine believes about names and values: one small program per idiom."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from pitfall_lint.libraries import Function, Libraries, Type
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.project import Project
from pitfall_lint.semantic.values import NOT_CONSTANT, LibraryName
from pitfall_lint.source import Source

LIBRARIES = Libraries(
    [
        Type(name="net.Client", also=("net.api.Client",), bases=("net.Base",)),
        Function(name="net.Client.get", coroutine=True, returns="net.Response"),
        Function(name="net.connect", returns="net.Client"),
        Function(name="net.open", coroutine=True, returns="net.Client"),
    ]
)


def load(tmp_path: Path, files: dict[str, str], main: str = "main.py") -> File:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    project = Project(LIBRARIES, root=str(tmp_path))
    return project.file(Source(str(tmp_path / main), (tmp_path / main).read_bytes()))


def names_of(file: File, function: str) -> set[str | None]:
    """The qualified names of the calls whose last attribute or name is `function`."""
    return {call.name for call in file.calls() if (call.method or getattr(call.node.func, "value", None)) == function}


RECEIVERS = {
    "import alias": "import net as n\nn.Client().get()",
    "from import": "from net import Client as C\nC().get()",
    "other import path": "from net.api import Client\nClient().get()",
    "assigned name": "import net\nc = net.Client()\nc.get()",
    "rebound class": "import net\nmake = net.Client\nmake().get()",
    "walrus": "import net\nif (c := net.Client()):\n    c.get()",
    "unpacking": "import net\na, c = 1, net.Client()\nc.get()",
    "with": "import net\nwith net.Client() as c:\n    c.get()",
    "or default": "import net\ndef f(c=None):\n    c = c or net.Client()\n    net.Client().get()",
    "conditional": "import net\nc = net.Client() if x else None\nc.get()",
    "annotated parameter": "import net\ndef f(c: net.Client):\n    c.get()",
    "optional parameter": "from typing import Optional\nimport net\ndef f(c: Optional[net.Client] = None):\n    c.get()",
    "union parameter": "import net\ndef f(c: net.Client | None = None):\n    c.get()",
    "string annotation": "import net\ndef f(c: 'net.Client'):\n    c.get()",
    "type checking import": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import net\ndef f(c: 'net.Client'):\n    c.get()"
    ),
    "import in try": "try:\n    import net\nexcept ImportError:\n    net = None\nnet.Client().get()",
    "import in function": "def f():\n    from net import Client\n    Client().get()",
    "attribute of self": (
        "import net\nclass A:\n    def __init__(self):\n        self.c = net.Client()\n"
        "    def go(self):\n        self.c.get()"
    ),
    "attribute set in another method": (
        "import net\nclass A:\n    c = None\n    def start(self):\n        self.c = net.Client()\n"
        "    def go(self):\n        self.c.get()"
    ),
    "attribute from a parameter": (
        "import net\nclass A:\n    def __init__(self, c: net.Client):\n        self.c = c\n"
        "    def go(self):\n        self.c.get()"
    ),
    "inherited attribute": (
        "import net\nclass A:\n    def __init__(self):\n        self.c = net.Client()\n"
        "class B(A):\n    def go(self):\n        self.c.get()"
    ),
    "class attribute": "import net\nclass A:\n    c = net.Client()\nA.c.get()",
    "dataclass field": (
        "import net\nfrom dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    c: object = field(default_factory=net.Client)\n    def go(self):\n        self.c.get()"
    ),
    "property": (
        "import net\nclass A:\n    @property\n    def c(self):\n        return net.Client()\n"
        "    def go(self):\n        self.c.get()"
    ),
    "property with setter": (
        "import net\nclass A:\n    @property\n    def c(self):\n        return net.Client()\n"
        "    @c.setter\n    def c(self, new):\n        pass\n    def go(self):\n        self.c.get()"
    ),
    "factory by return": "import net\ndef make():\n    return net.Client()\nmake().get()",
    "factory by annotation": "import net\ndef make() -> net.Client:\n    ...\nmake().get()",
    "async factory": (
        "import net\nasync def make():\n    return net.Client()\nasync def f():\n    (await make()).get()"
    ),
    "library factory": "import net\nnet.connect().get()",
    "library coroutine": "import net\nasync def f():\n    c = await net.open()\n    c.get()",
    "partial": "import net\nfrom functools import partial\npartial(net.Client, 1)().get()",
    "context manager function": (
        "import net\nfrom contextlib import contextmanager\n@contextmanager\ndef make():\n    yield net.Client()\n"
        "with make() as c:\n    c.get()"
    ),
    "own context manager": (
        "import net\nclass A:\n    def __enter__(self):\n        return net.Client()\nwith A() as c:\n    c.get()"
    ),
    "for over a list": "import net\nfor c in [net.Client(), net.Client()]:\n    c.get()",
    "container annotation": "import net\ndef f(cs: list[net.Client]):\n    for c in cs:\n        c.get()",
    "dict values": "import net\ncs = {'a': net.Client()}\ncs['a'].get()",
    "global": ("import net\nc = None\ndef init():\n    global c\n    c = net.Client()\ndef go():\n    c.get()"),
    "project subclass": "import net\nclass Mine(net.Client):\n    pass\nMine().get()",
    "super": "import net\nclass Mine(net.Client):\n    def go(self):\n        super().get()",
    "closure": "import net\ndef f():\n    c = net.Client()\n    def g():\n        c.get()",
}


@pytest.mark.parametrize("idiom", RECEIVERS)
def test_receiver_is_known(idiom: str, tmp_path: Path) -> None:
    assert names_of(load(tmp_path, {"main.py": RECEIVERS[idiom] + "\n"}), "get") == {"net.Client.get"}


STRANGERS = {
    "parameter that shadows the import": "import net\ndef f(net):\n    net.get()",
    "two types": "import net, other\nc = net.Client() if x else other.Client()\nc.get()",
    "rebinding to something unknown": "import net\nc = net.Client()\nc = mystery()\nc.get()",
    "unannotated parameter": "def f(c):\n    c.get()",
    "method of an unknown base": "class A(mystery.Base):\n    def f(self):\n        self.get()",
}


@pytest.mark.parametrize("idiom", STRANGERS)
def test_unknown_receiver_stays_unknown(idiom: str, tmp_path: Path) -> None:
    assert names_of(load(tmp_path, {"main.py": STRANGERS[idiom] + "\n"}), "get") == {None}


def test_definitions_are_followed_over_files(tmp_path: Path) -> None:
    file = load(
        tmp_path,
        {
            "src/app/__init__.py": "from .deep import *\nfrom .http import make as build\n",
            "src/app/deep.py": "from . import http\nfrom .http import Wrapper\n",
            "src/app/http.py": (
                "from .base import Base\nfrom net import Client\n\n\nclass Wrapper(Base):\n    pass\n\n\n"
                "def make():\n    return Wrapper()\n"
            ),
            "src/app/base.py": (
                "import net\n\n\nclass Base:\n    def __init__(self, c: net.Client | None = None):\n"
                "        self.c = c or net.Client()\n"
            ),
            "main.py": "from app import build, Wrapper, http\nbuild().c.get()\nWrapper().c.get()\nhttp.make().c.get()\n",
        },
    )
    assert names_of(file, "get") == {"net.Client.get"}
    assert {str(tmp_path / "src/app/http.py"), str(tmp_path / "src/app/__init__.py")} <= file.dependencies()


def test_import_cycles_end(tmp_path: Path) -> None:
    file = load(
        tmp_path,
        {
            "a.py": "from b import x\ny = 1\n",
            "b.py": "from a import x, y\n",
            "main.py": "from a import x, y\nx()\nprint(y)\n",
        },
    )
    assert names_of(file, "x") == {None}
    assert [file.folded(call.node.args[0].value) for call in file.calls() if call.node.args] == [1]


def test_nothing_outside_the_project_is_read(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("import net\nmake = net.Client\n")
    inside = tmp_path / "project"
    file = load(inside, {"main.py": "from outside import make\nmake().get()\n"})
    assert names_of(file, "get") == {"outside.make.get"} or names_of(file, "get") == {None}


CONSTANTS = {
    "'a' 'b'": "ab",
    "'a' + 'b'": "ab",
    "f'{PREFIX}/x'": "/api/x",
    "'%s/x' % PREFIX": "/api/x",
    "'{}/{}'.format(PREFIX, 1)": "/api/1",
    "PREFIX.strip('/')": "api",
    "Settings.root": "/root",
    "PORT + 1": 81,
    "f'{unknown}/x'": NOT_CONSTANT,
    "f'{PORT:>5}'": NOT_CONSTANT,
    "PREFIX.format(*unknown)": NOT_CONSTANT,
    "changing": NOT_CONSTANT,
}


@pytest.mark.parametrize("expression", CONSTANTS)
def test_constants_are_folded(expression: str, tmp_path: Path) -> None:
    text = (
        "PREFIX = '/api'\nPORT = 80\nchanging = 'a'\nchanging += 'b'\n\n\nclass Settings:\n    root = '/root'\n\n\n"
        f"def f(unknown):\n    return {expression}\n"
    )
    file = load(tmp_path, {"main.py": text})
    (returned,) = file.nodes(cst.Return)
    assert returned.value is not None
    assert file.folded(returned.value) == CONSTANTS[expression]


def test_functions_know_what_they_are(tmp_path: Path) -> None:
    text = (
        "class A:\n    @staticmethod\n    def s(): ...\n    async def a(self):\n        yield 1\n"
        "    async def c(self):\n        def inner():\n            yield 2\n        return inner\n"
    )
    file = load(tmp_path, {"main.py": text})
    functions = {function.qualified_name: function for function in file.functions()}
    assert set(functions) == {"main.A.s", "main.A.a", "main.A.c", "main.A.c.inner"}
    assert functions["main.A.s"].is_static
    assert not functions["main.A.s"].is_method
    assert functions["main.A.a"].is_generator
    assert not functions["main.A.a"].is_coroutine_function
    assert functions["main.A.c"].is_coroutine_function
    assert functions["main.A.c.inner"].parent is functions["main.A.c"]
    assert functions["main.A.c"].class_ is functions["main.A.a"].class_


def test_only_the_definitions_asked_for_are_looked_at(tmp_path: Path) -> None:
    text = "first()\n\n\ndef f():\n    second()\n\n\nclass A:\n    def g(self):\n        third()\n"
    (tmp_path / "main.py").write_text(text)
    project = Project(LIBRARIES, root=str(tmp_path))
    source = Source(str(tmp_path / "main.py"), text.encode())
    assert [call.text for call in project.file(source, [9]).calls()] == ["third()"]
    assert [call.text for call in project.file(source, [0]).calls()] == ["first()"]
    assert [call.text for call in project.file(source).calls()] == ["first()", "second()", "third()"]


def test_a_default_says_more_than_callable(tmp_path: Path) -> None:
    text = (
        "import time\nfrom typing import Callable\n\n\n"
        "class A:\n"
        "    def __init__(self, clock: Callable[[], float] = time.monotonic, other: Callable[[], float] = None):\n"
        "        self.clock = clock\n\n"
        "    def f(self):\n"
        "        self.clock()\n"
    )
    file = load(tmp_path, {"main.py": text})
    (call,) = [call for call in file.calls() if call.method == "clock"]
    assert LibraryName("time.monotonic") in file.values_of(call.node.func)
    assert call.name is None, "somebody may hand over another one"


def test_what_a_context_gives_is_also_what_awaiting_it_gives(tmp_path: Path) -> None:
    rows = Libraries([Type(name="net.Client"), Type(name="net.Context", enters="net.Client")])
    text = "import net\n\n\nasync def f():\n    c = await net.Context()\n    c.get()\n"
    (tmp_path / "main.py").write_text(text)
    file = Project(rows, root=str(tmp_path)).file(Source(str(tmp_path / "main.py"), text.encode()))
    assert names_of(file, "get") == {"net.Client.get"}
