"""What a function's bytes tell is what its tree tells: sure answers are right, and what is ruled out is not there."""

from __future__ import annotations

from functools import cache

import libcst as cst
import pytest

from pitfall_lint import catalog, libraries
from pitfall_lint.semantic import attributes, glimpse
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.harmless import is_stub
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source


@cache
def rows() -> libraries.Libraries:
    return libraries.load(list(catalog.library_files()))


def first(text: str) -> Function:
    """Return the first function of a module, a method if there is a class."""
    file = Project(rows(), None).file(Source("it.py", text.encode()))
    return file.function_for(file.outline.functions[0])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("    yield 1\n", True),
        ("    got = yield\n", True),
        ("    return await (yield 3)\n", True),
        ("    yield from range(3)\n", True),
        ('    """Yields; or yield, nothing."""\n    return 1\n', False),
        ('    """\n    yield nothing\n    """\n    return 1\n', False),
        ('    return "yield"  # yield\n', False),
        ("    return self.yield_\n", False),
        ("    def inner():\n        yield 1\n\n    return inner\n", False),
        ("    class Inner:\n        def each(self):\n            yield 1\n\n    return Inner\n", False),
        ("    def inner():\n        yield 1\n\n    yield inner\n", True),
        ("    return lambda: (yield)\n", None),
        ('    text = """a\n    """ + (yield)\n', None),
    ],
)
def test_yields(body: str, told: bool | None) -> None:
    function = first(f"def f(self):\n{body}")
    assert glimpse.yields(function) is told
    assert told is None or told == any(True for _ in function.nodes(cst.Yield))


def test_a_yield_on_the_line_of_the_def_is_left_to_the_parser() -> None:
    assert glimpse.yields(first("def f(): yield 1\n")) is None
    assert first("def f(): yield 1\n").is_generator
    assert not first("@decorate(lambda: (yield))\ndef f():\n    return 1\n").is_generator


@pytest.mark.parametrize(
    "statement",
    [
        "self.x = 1",
        "self.x: int = 1",
        "self.x += 1",
        "self.x //= 1",
        "self.x <<= 1",
        "self.x, other = 1, 2",
        "(other, self.x) = 1, 2",
        "[other, *self.x] = 1, 2",
        "other = self.x = 1",
        "if other: self.x = 1",
        "for self.x in other: pass",
        "for other, self.x in self.all: pass",
        "with other as self.x: pass",
        "with other as (self.x, self.y): pass",
    ],
)
def test_attributes_that_are_given(statement: str) -> None:
    method = first(f"class A:\n    def f(self, other):\n        {statement}\n")
    assert b"x" in glimpse.attributes_given(method)
    assert "x" in attributes.attribute_targets(method)


@pytest.mark.parametrize("name", ["größe", "x1", "_x"])
def test_attributes_of_all_names(name: str) -> None:
    method = first(f"class A:\n    def f(this, other):\n        this.{name} = other\n")
    assert glimpse.attributes_given(method) == {name.encode()}


@pytest.mark.parametrize(
    "statement",
    ["return self.x", "self.x.y = 1", "self.x[0] = 1", "if self.x == 1: pass", "other.x = 1", "self.call(x=1)"],
)
def test_attributes_that_are_not_given(statement: str) -> None:
    method = first(f"class A:\n    def f(self, other):\n        {statement}\n")
    assert b"x" not in glimpse.attributes_given(method)
    assert "x" not in attributes.attribute_targets(method)


@pytest.mark.parametrize(
    ("body", "called"),
    [
        ("return task\n", set()),
        ("task = start(work)\n    return task  # it\n", {"start"}),
        ("task = self.loop.start(work)\n    return (task)\n", {"", "self.loop.start"}),
        ("return start(work)\n", {"start"}),
        ("return None\n", set()),
        ("return start(\n        work)\n", None),
        ("task = \\\n        start(work)\n    return task\n", None),
    ],
)
def test_calls_that_are_given_back(body: str, called: set[str] | None) -> None:
    assert glimpse.calls_given_back(f"def f(self):\n    {body}".encode()) == called


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        ("pass\n", True),
        ('"""Text."""\n', True),
        ('"""\n    return what it is\n    """\n', True),
        ('raise NotImplementedError(\n        "return it"\n    )\n', True),
        ("return 1\n", False),
        ("x = 1\n    return x\n", False),
        ("with x:\n        pass\n", False),
    ],
)
def test_stubs(body: str, is_one: bool) -> None:
    function = first(f"async def f(x):\n    {body}")
    assert is_stub(function) is is_one
    assert not (is_one and glimpse.does_something(function))
