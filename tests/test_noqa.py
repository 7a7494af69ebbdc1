"""`# noqa`: what is added, what is merged, and what silences nothing."""

from __future__ import annotations

import pytest
from evidence import project, rules

from pitfall_lint import noqa
from pitfall_lint.fixing import fix_source, splice
from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

HEAD = "import asyncio\n\n\nasync def main(save):\n"
CALL = "    asyncio.create_task(save())"


def lint(source: Source) -> list:
    return noqa.visible(source, lint_source(source, rules().select(), project()), rules().select())


@pytest.mark.parametrize(
    ("line", "after"),
    [
        (CALL, CALL + "  # noqa: PIT301"),
        (CALL + "  ", CALL + "  # noqa: PIT301"),
        (CALL + "  # why", CALL + "  # why  # noqa: PIT301"),
        (CALL + "  # noqa: E501", CALL + "  # noqa: E501, PIT301"),
        (CALL + "  # noqa:E501 because", CALL + "  # noqa:E501, PIT301 because"),
        ("    asyncio.create_task(\n        save('''\n''')\n    )", None),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_silence(line: str, after: str | None, newline: str) -> None:
    source = Source("a.py", (HEAD + line + "\n").replace("\n", newline).encode())
    findings = [finding for finding in lint(source) if finding.code == "PIT301"]
    assert findings
    result = splice(source, noqa.silence(source, findings))
    if after is not None:
        assert result.data.decode() == (HEAD + after + "\n").replace("\n", newline)
    assert lint(result) == []
    assert noqa.silence(result, findings) == []


def test_reason() -> None:
    source = Source("a.py", (HEAD + CALL + "\n").encode())
    result = splice(source, noqa.silence(source, lint(source), "never fails"))
    assert result.data.decode().endswith("# noqa: PIT301 never fails\n")
    assert lint(result) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # noqa: PIT301\n", "x = 1\n"),
        ("x = 1  # noqa: PIT301, E501\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # why  # noqa: PIT301\n", "x = 1  # why\n"),
        ("x = 1  # noqa: PIT301 because\n", "x = 1  # because\n"),
        ("# pitfall-lint: noqa: PIT301\nx = 1\n", "x = 1\n"),
        ("x = 1  # noqa: PIT301\r\n", "x = 1\r\n"),
    ],
)
def test_unused(before: str, after: str) -> None:
    source = Source("a.py", before.encode())
    assert [finding.code for finding in lint(source)] == ["PIT002"]
    result = fix_source(source, lint)
    assert result.source.data.decode() == after
    assert not result.remaining


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # noqa\n",
        "x = 1  # noqa: E501\n",
        "x = 1  # noqa: PIT301, PIT002\n",
        HEAD + CALL + "  # noqa: PIT301\n",
        "# pitfall-lint: noqa: PIT301\n" + HEAD + CALL + "\n",
        "s = '# noqa: PIT301'\n",
    ],
)
def test_used(text: str) -> None:
    assert lint(Source("a.py", text.encode())) == []


def test_rules_that_do_not_run_are_not_judged() -> None:
    chosen = rules().select(["PIT002", "PIT4"])
    source = Source("a.py", b"x = 1  # noqa: PIT301\n")
    assert noqa.visible(source, [], chosen) == []


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "# pitfall-lint: noqa: PIT301\n"),
        ("#!/usr/bin/python\n# coding: utf-8\n", "#!/usr/bin/python\n# coding: utf-8\n# pitfall-lint: noqa: PIT301\n"),
        ("# pitfall-lint: noqa: PIT401 why\n", "# pitfall-lint: noqa: PIT401, PIT301 why\n"),
        ("\ufeff", "\ufeff# pitfall-lint: noqa: PIT301\n"),
    ],
)
def test_silence_file(head: str, expected: str) -> None:
    source = Source("a.py", (head + HEAD + CALL + "\n").encode())
    edit = noqa.silence_file(source, "PIT301")
    assert edit is not None
    result = splice(source, [edit])
    assert result.data.decode() == expected + HEAD + CALL + "\n"
    assert "PIT301" not in [finding.code for finding in lint(result)]
    assert noqa.silence_file(result, "PIT301") is None
