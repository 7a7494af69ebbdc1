"""`# noqa`: which comments silence what."""

from __future__ import annotations

import pytest

from pitfall_lint.finding import Finding, Span
from pitfall_lint.noqa import visible
from pitfall_lint.source import Source
from pitfall_lint.suppressions import Suppressions


def silenced(text: str, code: str = "PIT301", at: str = "MARK") -> bool:
    """Tell whether a finding at the first MARK is silenced."""
    data = text.encode()
    start = data.index(at.encode())
    return not visible(Source("a.py", data), [Finding("a.py", Span(start, start + 4), "m", code=code)], ())


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#noqa",
        "# NOQA",
        "# NoQA: PIT301",
        "# noqa:PIT301",
        "# noqa : PIT301",
        "# noqa: PIT402, PIT301",
        "# noqa: PIT402 PIT301",
        "# noqa:PIT402,PIT301",
        "# noqa: pit301",
        "# noqa: PIT301 because the caller awaits it",
        "# noqa: E501, PIT301 - with other tools' codes",
        "# type: ignore # noqa: PIT301",
        "# a word before # noqa",
        "# noqa because it is so",
    ],
)
def test_comments_that_silence(comment):
    assert silenced(f"MARK()  {comment}\n")


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "# noqa: PIT302",
        "# noqa: PIT30",
        "# noqa: PIT3011",
        "# noqa:",
        "# noqa: because",
        "# noqa : because",
        "# noqaPIT301",
        "# noqa-file",
        "# no qa",
        "# see noqa",
        "# ruff: noqa",
        "# pitfall-lint: noqa",  # a comment for the file stands on a line of its own
        "# pitfall-lint: noqa: PIT301",
    ],
)
def test_comments_that_do_not(comment):
    assert not silenced(f"MARK()  {comment}\n")


def test_the_comment_has_to_stand_on_the_line():
    assert not silenced("# noqa\nMARK()\n# noqa\n")
    assert not silenced('x = "# noqa"; MARK()\n')
    assert not silenced('MARK("""\n# noqa\n""")\n')


def test_a_call_over_several_lines_is_silenced_where_it_begins():
    assert silenced("MARK(  # noqa: PIT301\n    1,\n)\n")
    assert not silenced("MARK(\n    1,\n)  # noqa: PIT301\n")


def test_a_string_over_several_lines_is_silenced_at_its_end():
    assert silenced('x = MARK("""a\nb\nc""")  # noqa: PIT301\n')
    assert silenced('x = """a\nMARK b\nc"""  # noqa: PIT301\n')
    assert silenced('x = f"""a\n{MARK}\nc"""  # noqa: PIT301\n')
    assert silenced('x = MARK("""a\nb""", """c\nd""")  # noqa\n')
    assert not silenced('x = MARK(1)\ny = """a\nb"""  # noqa\n')


def test_a_line_with_a_backslash_is_silenced_at_its_end():
    assert silenced("x = MARK() + \\\n    1 + \\\n    2  # noqa: PIT301\n")


@pytest.mark.parametrize("head", ["# pitfall-lint: noqa", "# flake8: noqa", "#pitfall-lint:noqa: PIT301,PIT402"])
def test_a_whole_file(head):
    assert silenced(f"{head}\nx = 1\nMARK()\n")
    assert silenced(f"MARK()\nif x:\n    {head}\n    pass\n")


def test_a_whole_file_for_other_codes():
    assert not silenced("# pitfall-lint: noqa: PIT302\nMARK()\n")


def test_text_that_does_not_tokenize():
    assert silenced("x = (\nMARK()  # noqa: PIT301\n")
    assert silenced('MARK()  # noqa\nx = """\n')


def test_crlf_and_latin_1():
    data = "# coding: latin-1\r\né = 1; MARK()  # noqa: PIT301\r\n".encode("latin-1")
    start = data.index(b"MARK")
    source = Source("a.py", data)
    assert not visible(source, [Finding("a.py", Span(start, start + 4), "m", code="PIT301")], ())
    directive = Suppressions(source).directives[0]
    assert data[directive.span.start : directive.span.end] == b"# noqa: PIT301"
    assert directive.codes == ("PIT301",)


def test_rows_for_a_comment():
    suppressions = Suppressions(Source("a.py", b'x = """a\nb\nc"""\ny = 1 + \\\n  2\nz = 3\n'))
    assert [suppressions.noqa_row(line) for line in range(1, 7)] == [3, 3, 3, 5, 5, 6]
