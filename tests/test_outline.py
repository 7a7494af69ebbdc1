"""Slices: every definition parses on its own, at its true place, and says what the file says."""

from __future__ import annotations

import libcst as cst
import libcst.metadata
import pytest

from pitfall_lint.libraries import Libraries
from pitfall_lint.semantic.outline import Outline
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source

FILES = {
    "plain": "import os\n\n\ndef f():\n    return os\n\n\nclass A:\n    x = 1\n\n    def g(self):\n        return f(1)\n",
    "tabs": "class A:\n\tdef g(self):\n\t\tif self:\n\t\t\treturn f(1)\n",
    "two columns": "class A:\n  def g(self):\n    return f(1)\n",
    "crlf": "class A:\r\n    def g(self):\r\n        return f(1)\r\n",
    "deep": "if a:\n    if b:\n        class A:\n            class B:\n                def g(self):\n                    f(1)\n",
    "decorators": "@deco(\n    1,\n)\n# why\n@other\nasync def f(\n    a,\n    b=(\n1\n),\n):\n    await f(1)\n",
    "one line": "def f(): return g(1)\nclass A: x = 1; y = 2\ndef h(): f(2)\n",
    "string with code": 'def f():\n    """\ndef not_real():\n    pass\n"""\n    return f(1)\n\n\ndef g():\n    f(2)\n',
    "string at column 0": 'def f():\n    x = """\nclass A:\n"""\n    return f(x)\n\n\nf(3)\n',
    "quotes in comments": "def f():  # don't say '''\n    return f(1)  # \"\"\"\n\n\ndef g():\n    f(2)\n",
    "dedented comment": "def f():\n    a()\n# here\n    return f(1)\n\n\nf(2)\n",
    "dedented bracket": "def f():\n    a(\n1,\n    )\n    return f(1)\n\n\nf(2)\n",
    "backslash": "def f():\n    return 1 + \\\nf(1)\n\n\nf(2)\n",
    "no final newline": "def f():\n    return f(1)",
    "nested": "def f():\n    def g():\n        class A:\n            def h(self):\n                f(1)\n    return g\n",
    "under if": "try:\n    import a\n\n    def f():\n        a.x(1)\nexcept ImportError:\n    def f():\n        y(2)\n",
    "beyond ascii": "def f():\n    'äöü𝒳'; é(1)\n\n\nclass Ä:\n    def ö(self):\n        '𝒳'; f(2)\n",
}


@pytest.mark.parametrize("name", FILES)
def test_every_call_is_found_once_at_its_place(name: str) -> None:
    text = FILES[name]
    source = Source("main.py", text.encode())
    file = Project(Libraries([])).file(source)
    found = sorted((file.span(node).start, file.code(node)) for node in file.nodes(cst.Call))
    whole = cst.metadata.MetadataWrapper(cst.parse_module(text))
    positions = whole.resolve(cst.metadata.PositionProvider)
    expected = sorted(
        (source.offset(place.start.line, place.start.column), whole.module.code_for_node(node))
        for node, place in positions.items()
        if isinstance(node, cst.Call)
    )
    assert found == expected
    assert not file.errors
    for start, code in found:
        assert source.data[start:].startswith(code.encode()) or "\r" in text or "\n" in code


@pytest.mark.parametrize("name", FILES)
def test_slices_and_skeleton_share_out_the_lines(name: str) -> None:
    outline = Outline(Source("main.py", FILES[name].encode()))
    lines = list(outline.skeleton.lines)
    for block in outline.functions:
        assert block.header in lines  # the `pass` that stands for it
        lines.remove(block.header)
        lines.extend(line for line in outline.slice(block).lines if line >= 0)
    assert sorted(lines) == list(range(len(outline.source.lines)))


def test_a_definition_that_does_not_parse_leaves_the_others_alive() -> None:
    text = "def f():\n    return (1\n\n\ndef g():\n    h(2)\n"
    file = Project(Libraries([])).file(Source("main.py", text.encode()))
    assert [call.text for call in file.calls()] == ["h(…)"]
    assert file.errors
    assert file.errors[0][0] >= 2


@pytest.mark.parametrize(
    "statement",
    [
        "import a.b",
        "import a.b as c",
        "from a import (\n    b,\n    c as d,\n)",
        "from ..a import b",
        "from a import \\\n    b",
    ],
)
def test_imports_are_those_that_python_sees(statement: str) -> None:
    import ast

    found = Outline(Source("main.py", f'"""\nimport prose\nfrom prose\n"""\n{statement}\n'.encode())).imports
    (node,) = ast.parse(statement).body
    assert isinstance(node, (ast.Import, ast.ImportFrom))
    expected = {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    assert expected <= set(found)
    assert set(found) - expected <= {"prose"}
