"""Drafts are what LibCST reads: the same nodes in the same order, at the same places, with the same text."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from evidence import project, rules

from pitfall_lint.lint import lint_source
from pitfall_lint.semantic.drafting import Draft
from pitfall_lint.semantic.locating import ranges_of
from pitfall_lint.semantic.outline import Slice
from pitfall_lint.semantic.passages import Undraftable
from pitfall_lint.semantic.tree import Tree
from pitfall_lint.semantic.walk import all_nodes
from pitfall_lint.source import Source, SourceError

SOURCES = sorted(Path(__file__).parent.parent.glob("src/**/semantic/*.py"))[::3] + sorted(
    Path(__file__).parent.glob("fixtures/**/*.py")
)
SNIPPETS = {
    "lines": "a = 1; b = 2;\nif a: b; c\nelse: d\nfor x in y: pass\n",
    "elif": "if a:\n    1\nelif b:\n    2\nelse:\n    if c:\n        3\n    elif d:\n        4\n",
    "strings": "a = 'x' \"y\"\nb = ('x'\n     f'{y!r:>{w}}' b'')\n".replace(" b''", ""),
    "string kinds": "a = rb'x'; b = u'x'; c = '''x\ny'''; d = 'a\\\nb'; e = f'{a=}' r'\\d'\n",
    "numbers": "a = 0x_FF + 1_000 + 1.5e3 + 2j + -1 + ~x\n",
    "constants": "a = None is not True, ...\n",
    "subscripts": "a[1]; a[1, 2]; a[(1, 2)]; a[(1), 2]; a[((1), 2)]; a[1:2:3]; a[:, ::2]; a[()]; a[(1,)]; a[1,]; a[x][y]\n",
    "calls": "f(a, *b, c=1, **d); f(c=1, *b); f(x for x in y); f((x for x in y), 1); f(**a, b=2)\n",
    "displays": "a = [1, *b], {1, *c}, {1: 2, **d}, (), (x,), *e, f\n",
    "operators": "a and b and c or not d; (a and b) and c; a < b <= c not in d; a @ b ** -c // d\n",
    "comprehensions": "a = [x async for x in y if x if y for z in x]; b = {k: v for k, v in w}; c = {x for x in y}\n",
    "lambdas": "a = lambda: 0; b = lambda x, /, y=1, *z, w, **v: x; c = lambda *, k: (yield)\n",
    "functions": "@a.b(c)\nasync def f(a: int, /, b=1, *c: str, d, e=2, **g) -> None: ...\n\n\ndef g(*, x): return x\n",
    "classes": "@d\nclass A(B, metaclass=C, **kw): x: int = 1; y: str\nclass E: pass\n",
    "imports": "import a.b.c as d, e\nfrom .. import x as y, z\nfrom .m.n import (a,\n    b)\nfrom k import *\n",
    "small": "del a, b[0]; global x, y; assert a, b; raise X from Y; a = b = c; a += 1; a @= b; x: int; y: int = 2\n",
    "awaits": "async def f():\n    async with a as b, c: await d\n    async for x, *y in z: yield\n    else: yield 1\n    return (yield)\n",
    "tries": "try: a\nexcept (A, B) as e: b\nexcept: c\nelse: d\nfinally: e\n",
    "groups": "try:\n    a\nexcept* A as e:\n    b\n",
    "walrus": "while (a := b()) is not None and (c if d else e): x = yield_\n",
    "letters": "größe = 'ä' + f(ö, 'ü')['ß']; b = f'{größe}ä'\n",
    "line ends": "a = 1\r\nif a:\r\n    b = '''x\r\ny'''; c\r\n",
    "tabs": "if a:\n\tb = (1,\n\t\t2)\n\tc\n",
    "comments": "# one\na = (  # two\n    b,  # three\n)\n\n\ndef f():\n    # four\n    return a  # five\n# six\n",
    "chains": "a = (b\n     .c(d)\n     .e)\nf = b . c\n",
    "generators": "def f():\n    x = yield a, b\n    yield from c\n    return\n",
}
LEFT_TO_LIBCST = {
    "match": "match a:\n    case 1: pass\n",
    "backslash": "a = 1; \\\nb = 2\n",
    "broken": "def f(:\n",
}


def _facts(node: cst.CSTNode) -> tuple[object, ...]:
    own = [getattr(node, name, None) for name in ("value", "star", "operator")]
    level = len(node.relative) if isinstance(node, cst.ImportFrom) else 0
    return (type(node), level, *(one if isinstance(one, str) else type(one) for one in own))


def _compare(text: str) -> None:
    draft, exact = Draft(text), cst.parse_module(text)
    drafted, read = list(all_nodes(draft.module)), list(all_nodes(exact))
    assert [_facts(node) for node in drafted] == [_facts(node) for node in read]
    places = ranges_of(exact)
    for one, other in zip(drafted, read, strict=True):
        place, said = draft.range_of(one), draft.text_of(one)
        assert place is None or place == places[other]
        assert said is None or "".join(said.split()) in "".join(exact.code_for_node(other).split())


@pytest.mark.parametrize("text", SNIPPETS.values(), ids=SNIPPETS)
def test_draft_is_what_libcst_reads(text: str) -> None:
    try:
        _compare(text)
    except Undraftable:
        assert "except*" in text  # older interpreters do not read it


@pytest.mark.parametrize("text", LEFT_TO_LIBCST.values(), ids=LEFT_TO_LIBCST)
def test_what_cannot_be_told_apart_is_left_to_libcst(text: str) -> None:
    with pytest.raises(Undraftable):
        Draft(text)


def test_real_files() -> None:
    compared = 0
    for path in SOURCES:
        text = path.read_bytes().decode("utf-8", "replace")
        try:
            _compare(text)
        except Undraftable:
            continue
        compared += 1
    assert compared > 100


def test_source_and_place_of_drafted_nodes() -> None:
    text = "x = (a . b)\ndel (c)\n"
    tree = Tree(Slice(text, (0, 1)))
    (dotted,) = tree.by_kind[cst.Attribute]
    assert tree.code_of(dotted) == "(a . b)"
    assert tree.text_of(dotted) == "a . b"
    assert len(tree.exact(dotted).lpar) == 1
    (statement,) = tree.by_kind[cst.Del]
    place = tree.range_of(statement)
    assert place is not None
    assert place.start == (2, 0)


def test_what_only_the_interpreter_reads_is_no_internal_error() -> None:
    text = "import asyncio\n\n\nasync def f() -> None:\n    (x): int = 1\n    asyncio.create_task(f())\n"
    with pytest.raises(SourceError):
        _ = Tree(Slice(text, tuple(range(6)))).ranges
    assert lint_source(Source("f.py", text.encode()), rules(), project()) == []
