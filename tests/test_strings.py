"""Shapes of expressions: every argument of `probe(…)` in a little project is evaluated where it stands."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from pitfall_lint import catalog, libraries
from pitfall_lint.semantic import strings
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source

LIBRARIES = libraries.load(catalog.library_files())


def probed(tmp_path: Path, text: str, **modules: str) -> list[list[str]]:
    """Return the alternatives of each probe, as text with holes in braces."""
    for name, content in modules.items():
        (tmp_path / f"{name}.py").write_text(content)
    path = tmp_path / "main.py"
    path.write_text(text)
    file = Project(LIBRARIES, root=str(tmp_path)).file(Source(str(path), path.read_bytes()))
    calls = [c for c in file.calls() if isinstance(c.node.func, cst.Name) and c.node.func.value == "probe"]
    calls.sort(key=lambda c: file.span(c.node).start)
    return [[s.pretty for s in strings.shapes_of(file, c.node.args[0].value)] for c in calls]


CASES = [
    ('probe("a" + "/b")', ["a/b"]),
    ('x = "h"\nprobe(f"{x}/y")', ["h/y"]),
    ('probe("%s/%s" % ("a", name))', ["a/{name}"]),
    ('probe("%(a)s-%(b)d" % {"a": "x", "b": 3})', ["x-{…}"]),
    ('probe("http://{}:{}/".format(host, 80))', ["http://{host}:80/"]),
    ('probe("{b}{a}".format(a="1", b="2"))', ["21"]),
    ('probe("/".join(["a", "b", c]))', ["a/b/{c}"]),
    ('probe("/a/".strip("/") + "x/".rstrip("/"))', ["ax"]),
    ('probe("a-b".replace("-", "/"))', ["a/b"]),
    ('R = "/r"\nprobe(f"{R}/ws" if R else "ws")', ["/r/ws"]),
    ('import os\nR = os.environ.get("ROOT", "")\nprobe(f"{R}/ws" if R else "ws")', ["{ROOT}/ws", "ws"]),
    ('import os\nR = os.environ["ROOT"]\nprobe(R.rstrip("/") + "/x")', ["{ROOT}/x"]),
    ('from os import getenv as g\nprobe(g("A") or "http://h")', ["{A}", "http://h"]),
    ('x = None or "d"\nprobe(x)', ["{None}", "d"]),
    ('if a:\n    x = "1"\nelse:\n    x = "2"\nprobe(x)', ["1", "2"]),
    ('x = "a"\nx = x + "/b"\nprobe(x)', ["a/b"]),
    ('def f(u):\n    if not u.endswith("/"):\n        u += "/"\n    probe(u)', ["{u}/", "{u}"]),
    ('def f(u="/d"):\n    probe(u)', ["{u}", "/d"]),
    ('def f(u: str):\n    if u.startswith("/"):\n        u = u[1:]\n    probe("x/" + u)', ["x/{u[1:]}", "x/{u}"]),
    ('def f():\n    return "/a"\nprobe(f() + "/b")', ["/a/b"]),
    ('def f(p):\n    return f"/{p}"\nprobe(f("/x"))', ["//x"]),
    ('class A:\n    base = "http://h"\n    def f(self):\n        probe(self.base + "/x")', ["http://h/x"]),
    (
        'class A:\n    def __init__(self, b):\n        self.b = b.rstrip("/")\n    def f(self):\n        probe(f"{self.b}/x")',
        ["{b}/x"],
    ),
    ('class A:\n    X = "/x"\nprobe(A.X)', ["/x"]),
    ('from enum import Enum\nclass E(Enum):\n    A = "/a"\nprobe(E.A.value)', ["/a"]),
    ('class A:\n    @property\n    def u(self):\n        return "/p"\n    def f(self):\n        probe(self.u)', ["/p"]),
    ("from other import BASE\nprobe(BASE + 'x')", ["http://h/x"]),
    ("import other\nprobe(other.BASE)", ["http://h/"]),
    ("for p in ('/a', 'b'):\n    probe(p)", ["/a", "b"]),
    ('def f(u):\n    if u is None:\n        u = "d"\n    probe(u)', ["d", "{u}"]),
    ("def f(u):\n    if not u:\n        return\n    probe(u)", ["{u}"]),
    ('if (x := "a"):\n    probe(x)', ["a"]),
    (
        'import click\n@click.option("--root-path", default="/r")\ndef f(root_path):\n    probe(root_path)',
        ["{root_path}", "/r"],
    ),
    ('x = "a"\ndef f():\n    probe(x)\nx = "b"', ["b"]),
    ('try:\n    x = "a"\nexcept E:\n    x = "b"\nprobe(x)', ["a", "b"]),
    ('x = ""\nwhile c:\n    x += "/a"\nprobe(x + "b")', ["b", "/ab", "{…}/ab", "{…}b"]),
    ('def outer():\n    p = "/o"\n    def inner():\n        probe(p)\n    return inner', ["/o"]),
    ('def f():\n    global G\n    G = "g"\nG = "h"\nprobe(G)', ["h"]),
    ('G = "h"\ndef f():\n    global G\n    G = "g"\ndef g():\n    probe(G)', ["h", "g"]),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_alternatives(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert probed(tmp_path, text, other='BASE = "http://h/"\n') == [expected]


def test_guards_tell_the_end(tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_text('def f(u):\n    if not u.endswith("/"):\n        u += "/"\n    probe(u)\n')
    file = Project(LIBRARIES, root=str(tmp_path)).file(Source(str(path), path.read_bytes()))
    (call,) = [c for c in file.calls() if c.text.startswith("probe")]
    assert [s.ends for s in strings.shapes_of(file, call.node.args[0].value)] == [True, True]
