"""lint_source: stamps what the page says, sorts, says nothing twice, survives broken checks and broken files."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from evidence import project, rules

from pitfall_lint.catalog import Rule
from pitfall_lint.finding import Applicability, Edit, Finding, Fix, Severity, Span
from pitfall_lint.lint import InternalError, lint_source
from pitfall_lint.page import parse_page
from pitfall_lint.source import Source

PAGE = """\
# {name} ({code})

Something.

```toml
code = "{code}"
set = "default"
severity = "error"
fix = "safe"
{more}
```

## Why
## Bad
```python
```
## Fixed
```python
```
## Good
"""
Check = Callable[..., Iterator[Finding]]
Made = Callable[..., Rule]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """Make a rule of a check."""

    def make(code: str, check: Check, more: str = "", chosen: bool = False) -> Rule:
        name = f"made-{code.lower()}"
        page = parse_page(PAGE.format(name=name, code=code, more=more), Path(f"tasks/{name}.md"))
        rule = Rule(page, chosen)
        module = types.ModuleType(rule.module)
        module.check = check  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, rule.module, module)
        return rule

    return make


def at(*spans: tuple[int, int], **values: object) -> Check:
    def check(file: object) -> Iterator[Finding]:
        for start, end in spans:
            yield Finding("a.py", Span(start, end), "message", **values)  # type: ignore[arg-type]

    return check


SOURCE = Source("a.py", b"a = 1\nb = 2\nc = 3\n")


def test_stamps(made: Made) -> None:
    edits = (Edit(Span(0, 1), "x"),)
    fixes = (Fix("one", edits), Fix("two", edits).less_safe(), Fix("nothing", ()))
    (found,) = lint_source(SOURCE, [made("PIT901", at((0, 1), fixes=fixes))], project())
    assert (found.code, found.name, found.severity) == ("PIT901", "made-pit901", Severity.ERROR)
    assert [fix.applicability for fix in found.fixes] == [Applicability.SAFE, Applicability.UNSAFE]


def test_sorts_and_says_nothing_twice(made: Made) -> None:
    chosen = [made("PIT902", at((6, 7), (0, 1), (6, 7))), made("PIT901", at((6, 7)))]
    found = [(f.code, f.span.start) for f in lint_source(SOURCE, chosen, project())]
    assert found == [("PIT902", 0), ("PIT901", 6), ("PIT902", 6)]


def test_takes_the_place_of(made: Made) -> None:
    """On the same line only, and only when the other rule really found something."""
    weak, strong = made("PIT901", at((0, 1), (6, 7))), made("PIT902", at((8, 9)), 'replaces = ["PIT901"]')
    assert [(f.code, f.span.start) for f in lint_source(SOURCE, [weak, strong], project())] == [
        ("PIT901", 0),
        ("PIT902", 8),
    ]
    assert len(lint_source(SOURCE, [weak], project())) == 2


def test_strict_findings_are_for_those_who_asked(made: Made) -> None:
    check = at((0, 1), strict=True)
    assert lint_source(SOURCE, [made("PIT901", check)], project()) == []
    assert len(lint_source(SOURCE, [made("PIT901", check, chosen=True)], project())) == 1


def test_a_broken_check_does_not_stop_the_others(made: Made) -> None:
    def broken(file: object) -> Iterator[Finding]:
        raise KeyError("oops\nsecond line")
        yield

    errors: list[InternalError] = []
    chosen = [made("PIT901", broken), made("PIT902", at((0, 1)))]
    assert [f.code for f in lint_source(SOURCE, chosen, project(), on_error=errors.append)] == ["PIT902"]
    (error,) = errors
    assert str(error).startswith("a.py: PIT901 made-pit901 failed: KeyError: ")
    assert "\n" not in str(error)
    with pytest.raises(InternalError):
        lint_source(SOURCE, chosen, project())


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"x = 1\ndef broken(:\n    pass\n", 2, "Invalid syntax"),
        (b"x = 1\0\n", 1, "Source contains a NUL byte"),
        (b"x = 1\ny = '\xff'\n", 2, "Not valid utf-8"),
        (b"# coding: klingon\nx = 1\n", 1, "Unknown encoding 'klingon'"),
        (b"x = " + b"(" * 5000 + b"1" + b")" * 5000 + b"\n", 1, "Too many nested parentheses"),
        (b"if x:\n\ty = 1\n        z = 2\n", 3, "Inconsistent use of tabs"),
        (b"x = 'never ended\n", 1, "Unterminated string literal"),
        (b"\xef\xbb\xbfx = (\r\n", 1, "'(' was never closed"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, line: int, message: str) -> None:
    source = Source("a.py", data)
    (found,) = lint_source(source, rules().select(), project())
    assert (found.code, found.name, found.severity) == ("PIT001", "syntax-error", Severity.ERROR)
    assert found.message.startswith(message)
    assert source.position(found.span.start)[0] == line
    assert lint_source(source, rules().select(None, ["PIT001"]), project()) == []


def test_half_typed_files_keep_the_findings_of_other_definitions() -> None:
    good = b"import asyncio\nasync def f(s):\n    asyncio.create_task(s.save())\n"
    codes = [f.code for f in lint_source(Source("a.py", good + b"def half(:\n"), rules().select(), project())]
    assert codes == ["PIT301", "PIT001"]


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"\f\n", b"# only a comment", b"x = 1\r\n\ty = 2\n"[:7]])
def test_nothing_to_say(data: bytes) -> None:
    assert lint_source(Source("a.py", data), rules().select(["ALL"]), project()) == []


def test_ten_megabytes_do_not_take_forever() -> None:
    data = b"x = [\n" + b"    'some text that is of no interest',\n" * 250_000 + b"]\n"
    assert lint_source(Source("a.py", data), rules().select(), project(), syntax=False) == []
