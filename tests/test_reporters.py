"""The output formats, on findings made by hand: what people read and what other tools parse."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from pitfall_lint import catalog, config
from pitfall_lint.finding import Applicability, Edit, Finding, Fix, Related, Severity, Span
from pitfall_lint.reporters import Style, paint, reporter
from pitfall_lint.run import FileReport, Report
from pitfall_lint.source import Source

TEXT = """\
import asyncio


async def update(layer):
    await layer.update()


async def send(layer):
    try:
        asyncio.create_task(layer.update())
    except Exception as error:
        print("日本", error)
"""


@pytest.fixture(scope="module")
def rules():
    return catalog.load()


def span(text: str, piece: str, encoding: str = "utf-8") -> Span:
    start = text.encode(encoding).index(piece.encode(encoding))
    return Span(start, start + len(piece.encode(encoding)))


def finding(text: str = TEXT, piece: str = "asyncio.create_task(layer.update())", **changes) -> Finding:
    where = span(text, piece)
    values = {
        "path": "app.py",
        "span": where,
        "message": "nobody can see what `layer.update()` raises: its task is dropped",
        "code": "PIT301",
        "name": "lost-task-exception",
        "severity": Severity.ERROR,
        "consequence": "asyncio logs at most that the exception was never retrieved.",
        "fixes": (
            Fix("Await it", (Edit(Span(where.start, where.start + 20), "await ("),), Applicability.UNSAFE),
            Fix("Keep it", (Edit(Span(where.start, where.start), "x = "),), Applicability.SAFE),
        ),
        "related": (Related("app.py", span(TEXT, "async def update"), "this can raise", 4, 1),),
    }
    return Finding(**(values | changes))


def report(*findings: Finding, text: str | bytes = TEXT, **changes) -> Report:
    data = text if isinstance(text, bytes) else text.encode()
    source = Source("app.py", data)
    return Report([FileReport("app.py", list(findings), source, **changes)] if findings or changes else [], 1)


def rendered(rules, name: str, found: Report, **style) -> str:
    return "".join(reporter(name)(found, rules, Style(**style)))


def test_full(rules):
    assert (
        rendered(rules, "full", report(finding()))
        == """\
PIT301 nobody can see what `layer.update()` raises: its task is dropped
  --> app.py:10:9
   |
 8 | async def send(layer):
 9 |     try:
10 |         asyncio.create_task(layer.update())
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
11 |     except Exception as error:
12 |         print("日本", error)
   |
  ::: app.py:4:1
   |
 4 | async def update(layer):
   | ---------------- this can raise
   |
   = at run time: asyncio logs at most that the exception was never retrieved.
   = fix: Await it (unsafe)
   |
 9 |     try:
   -         asyncio.create_task(layer.update())
10 +         await (layer.update())
11 |     except Exception as error:
   |
   = or: Keep it

Found 1 finding in 1 file.
1 fixable with `--fix --unsafe-fixes`.
"""
    )


def test_full_fits_a_terminal(rules):
    text = TEXT.replace("layer.update())\n    except", "layer.update(" + "argument, " * 20 + "))\n    except")
    wide = finding(
        text,
        "layer.update(argument",
        message="word " * 40,
        consequence="it happens " * 30,
        related=(Related("app.py", span(text, "async def update"), "a long label " * 4, 4, 1),),
    )
    out = rendered(rules, "full", report(wide, text=text), width=80)
    assert max(paint.columns(line) for line in out.splitlines()) <= 80
    assert "…" in out
    assert "^^^^" in out


@pytest.mark.parametrize("left", [0, 50, 100, 300])
def test_the_marked_place_stays_in_sight(rules, left):
    text = "x" * left + " = " + "MARK" + "y" * 300 + "\n"
    out = rendered(rules, "full", report(finding(text, "MARK", related=(), fixes=()), text=text), width=80)
    lines = out.splitlines()
    row = next(number for number, line in enumerate(lines) if "^^^^" in line)
    column = lines[row].index("^")
    assert lines[row - 1][column : column + 4] == "MARK"


def test_wide_characters_and_tabs_move_the_marks(rules):
    text = 'def f():\n\tx = "日本"; MARK()\n'
    out = rendered(rules, "full", report(finding(text, "MARK()", related=(), fixes=()), text=text))
    source, marks = out.splitlines()[4:6]
    assert paint.columns(source[: source.index("MARK")]) == marks.index("^")
    assert "\t" not in out


def test_a_finding_over_many_lines_is_shortened(rules):
    text = "f(\n" + "".join(f"    argument{number},\n" for number in range(30)) + ")\n"
    out = rendered(rules, "full", report(finding(text, text[:-1], related=(), fixes=()), text=text))
    assert len(out.splitlines()) < 25
    assert "\n...\n" in out


def test_the_end_of_a_file_without_a_newline(rules):
    text = "x = 1\nf()"
    out = rendered(rules, "full", report(finding(text, "f()", related=(), fixes=()), text=text))
    assert " | f()\n" in out
    assert " | ^^^\n" in out


def test_an_empty_file(rules):
    out = rendered(rules, "full", report(finding("", "", related=(), fixes=(), message="empty"), text=""))
    assert out.startswith("PIT301 empty\n")


def test_colours_and_links_only_where_they_are_shown(rules):
    found = report(finding())
    assert "\x1b" not in rendered(rules, "full", found)
    colored = rendered(rules, "full", found, color=True, links=True)
    assert "\x1b[1;31mPIT301\x1b[0m" in colored
    assert "\x1b]8;;https://" in colored
    plain = re.sub(r"\x1b\[[\d;]*m|\x1b\]8;;[^\x1b]*\x1b\\", "", colored)
    assert plain == rendered(rules, "full", found)


@pytest.mark.parametrize("name", ["full", "concise", "grouped"])
def test_text_from_files_cannot_steer_the_terminal(rules, name):
    text = 'f("\x1b]0;title\x07 \x9b31m \u202e")\n'
    bad = finding(text, "f(", message="saw \x1b[2J\nand \r", consequence="\x1b[2J", related=(), fixes=())
    out = rendered(rules, name, report(bad, text=text))
    assert not set(out) & set("\x1b\x07\x9b\r\u202e")


def test_concise(rules):
    safe = finding(fixes=(Fix("x", (Edit(Span(0, 0), ""),), Applicability.SAFE),))
    out = rendered(rules, "concise", report(finding(), safe))
    assert out.splitlines()[:2] == [
        "app.py:10:9: PIT301 nobody can see what `layer.update()` raises: its task is dropped",
        "app.py:10:9: PIT301 [*] nobody can see what `layer.update()` raises: its task is dropped",
    ]
    assert out.endswith(
        "Found 2 findings in 1 file.\n[*] 1 fixable with `--fix`, 1 more with `--fix --unsafe-fixes`.\n"
    )
    out = rendered(rules, "concise", report(finding(), safe), unsafe_fixes=True)
    assert out.endswith("[*] 2 fixable with `--fix --unsafe-fixes`.\n")


def test_grouped(rules):
    first = finding(piece="import asyncio", fixes=(), message="short")
    assert rendered(rules, "grouped", report(first, finding())).splitlines()[:4] == [
        "app.py:",
        "  1:1  PIT301 short",
        "  10:9 PIT301 nobody can see what `layer.update()` raises: its task is dropped",
        "",
    ]


def test_summary_of_fixes(rules):
    out = rendered(rules, "concise", report(finding(), fixed=Counter({"PIT301": 2})))
    assert "Found 3 findings (2 fixed, 1 remaining).\n" in out


def test_all_is_well(rules):
    assert rendered(rules, "full", Report(checked=3)) == "All checks passed!\n"
    assert rendered(rules, "full", Report()) == ""


def test_json_has_ruffs_shape(rules):
    data = json.loads(rendered(rules, "json", report(finding())))
    entry = data[0]
    assert set(entry) >= {
        *("cell", "code", "name", "severity", "message", "filename", "location", "end_location"),
        *("fix", "noqa_row", "url", "related"),
    }
    assert entry["location"] == {"row": 10, "column": 9}
    assert entry["end_location"] == {"row": 10, "column": 44}
    assert Path(entry["filename"]).is_absolute()
    assert entry["fix"] == {
        "applicability": "unsafe",
        "message": "Await it",
        "edits": [
            {
                "content": "await (",
                "location": {"row": 10, "column": 9},
                "end_location": {"row": 10, "column": 29},
            }
        ],
    }
    assert entry["alternatives"][0]["message"] == "Keep it"
    assert entry["related"][0]["location"] == {"row": 4, "column": 1}
    assert entry["url"].endswith("/tasks/lost-task-exception.md")
    assert json.loads(rendered(rules, "json", report())) == []


def test_noqa_row_is_the_end_of_a_string(rules):
    text = 'x = f("""a\nb\nc""")\n'
    data = json.loads(rendered(rules, "json", report(finding(text, "f(", related=(), fixes=()), text=text)))
    assert data[0]["noqa_row"] == 3


def test_json_lines(rules):
    out = rendered(rules, "json-lines", report(finding(), finding()))
    assert [json.loads(line)["code"] for line in out.splitlines()] == ["PIT301", "PIT301"]


def test_columns_count_characters(rules):
    text = 'é = "日本😀"; MARK\n'
    data = json.loads(rendered(rules, "json", report(finding(text, "MARK", related=(), fixes=()), text=text)))
    assert data[0]["location"] == {"row": 1, "column": text.index("MARK") + 1}
    latin = "# coding: latin-1\né = 1; MARK\n"
    where = span(latin, "MARK", "latin-1")
    found = finding(latin, "coding", span=where, related=(), fixes=())
    data = json.loads(rendered(rules, "json", report(found, text=latin.encode("latin-1"))))
    assert data[0]["location"] == {"row": 2, "column": 8}


def test_github(rules):
    odd = finding(message="50% of a: b, c\nd")
    line = rendered(rules, "github", report(odd))
    assert line.startswith("::error title=pitfall-lint (PIT301),file=/")
    assert ",line=10,col=9,endLine=10,endColumn=44::app.py:10:9: PIT301 50%25 of a: b, c%0Ad" in line
    assert line.count("\n") == 1
    hint = rendered(rules, "github", report(finding(severity=Severity.HINT)))
    assert hint.startswith("::notice ")


def test_gitlab(rules, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    data = json.loads(rendered(rules, "gitlab", report(finding(), finding())))
    first, second = data
    assert first["location"]["path"] == "app.py"
    assert first["location"]["positions"]["begin"] == {"line": 10, "column": 9}
    assert first["severity"] == "major"
    assert first["fingerprint"] != second["fingerprint"]
    moved = TEXT.replace("import asyncio\n", "import asyncio\n\n\n")
    again = json.loads(rendered(rules, "gitlab", report(finding(moved), text=moved)))
    assert again[0]["fingerprint"] == first["fingerprint"]


def test_junit(rules):
    bad = finding(message='a < b & "c" \x00 \x1b')
    root = ElementTree.fromstring(rendered(rules, "junit", report(bad)))
    assert root.attrib["failures"] == "1"
    case = root.find("./testsuite/testcase")
    assert case is not None
    assert case.attrib["line"] == "10"
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"].startswith('a < b & "c"')
    clean = ElementTree.fromstring(rendered(rules, "junit", report()))
    assert clean.attrib["failures"] == "0"
    failed = ElementTree.fromstring(rendered(rules, "junit", report(failure="cannot be read")))
    assert failed.attrib["errors"] == "1"


def test_rdjson(rules):
    text = 'x = "é"; MARK()\n'
    fix = Fix("t", (Edit(span(text, "MARK"), "NAME"),), Applicability.SAFE)
    data = json.loads(rendered(rules, "rdjson", report(finding(text, "MARK()", fixes=(fix,)), text=text)))
    entry = data["diagnostics"][0]
    assert data["source"]["name"] == "pitfall-lint"
    assert entry["location"]["range"]["start"] == {"line": 1, "column": 11}  # in bytes
    assert entry["suggestions"][0]["text"] == "NAME"
    assert entry["relatedLocations"][0]["message"] == "this can raise"


@pytest.fixture(scope="module")
def sarif_schema():
    text = (Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text("utf-8")
    return jsonschema.Draft4Validator(json.loads(text), format_checker=jsonschema.FormatChecker())


def test_sarif_is_valid(rules, sarif_schema, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    inside, outside = finding(), finding(path="/elsewhere/a b.py", severity=Severity.HINT, fixes=())
    syntax = finding(code="PIT001", name="syntax-error", fixes=(), related=(), consequence="")
    odd = report(inside, outside, syntax)
    odd.files.append(FileReport("broken.py", failure="permission denied"))
    for found in (odd, report()):
        log = json.loads(rendered(rules, "sarif", found))
        sarif_schema.validate(log)
    log = json.loads(rendered(rules, "sarif", odd))
    run = log["runs"][0]
    first, second, _ = run["results"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "app.py",
        "uriBaseId": "SRCROOT",
    }
    assert second["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///elsewhere/a%20b.py"}
    assert first["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == "await ("
    rule = run["tool"]["driver"]["rules"][first["ruleIndex"]]
    assert rule["id"] == "PIT301"
    assert "## Why" in rule["help"]["markdown"]
    assert run["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize("name", config.FORMATS)
def test_every_format_takes_every_report(rules, name):
    for found in (report(), report(finding()), report(failure="no"), report(errors=("internal error: x",))):
        out = io.StringIO(rendered(rules, name, found, color=True, links=True, width=60))
        assert out.getvalue() or not found.files or name in ("json-lines", "github", "full", "concise", "grouped")


def test_a_fix_in_two_places_shows_both(rules):
    fix = Fix(
        "Import and call",
        (Edit(Span(0, 0), "import logging\n"), Edit(span(TEXT, "print"), "logging.info")),
        Applicability.SAFE,
    )
    out = rendered(rules, "full", report(finding(fixes=(fix,), related=())))
    assert " 1 + import logging\n" in out
    assert "\n...\n" in out
    assert "+         logging.info(" in out
    assert "PIT301 [*] nobody" in out
