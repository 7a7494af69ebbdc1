"""`pitfall-lint diagnose`: from a traceback or a log to the rule, the place in the code, and the fix."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pitfall_lint import catalog, config, diagnose, fixing, libraries, lint, run
from pitfall_lint.cli import output
from pitfall_lint.diagnose import Answer, Diagnosed, Diagnosis
from pitfall_lint.reporters import Style, full
from pitfall_lint.reporters.paint import one_line, paint, severity_color, wrapped
from pitfall_lint.reporters.place import place_of
from pitfall_lint.source import Source

_LARGEST = 64 * 1024 * 1024
_SHOWN = 3
"""Answers for one error."""


@click.command("diagnose", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("log", metavar="[FILE|-]", default="-")
@click.option("--root", default=".", type=click.Path(exists=True, file_okay=False), help="Where the code is.")
@click.option("--fix", is_flag=True, help="Apply the fix of the best answer to each error, unsafe ones too.")
@click.option("--output-format", type=click.Choice(("text", "json", "github")), default="text", help="How to print it.")
@click.option("--isolated", is_flag=True, help="Ignore settings files.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colours.")
def command(log: str, root: str, fix: bool, output_format: str, isolated: bool, color: str) -> int:
    """Read a traceback or log (default: standard input); say what happened, where it starts, and the cure.

    \b
    pitfall-lint diagnose server.log
    docker logs web 2>&1 | pitfall-lint diagnose --root src
    """
    text = _read(log)
    try:
        found = diagnose.diagnose(text, root, config.Resolver({}, isolated=isolated))
        rules = catalog.load()
    except (config.ConfigError, catalog.PageError, libraries.LibraryError) as error:
        raise click.ClickException(str(error)) from None
    if output_format == "json":
        click.echo(json.dumps(_as_data(found), indent=2, ensure_ascii=False))
    elif output_format == "github":
        output.write(_as_commands(found), sys.stdout)
    else:
        output.write(_as_text(found, rules, output.style_for(sys.stdout, color, True)), sys.stdout)
    if fix:
        for each in found.errors:
            _mend(each, rules, root, isolated)
    return 0 if found.errors else 1


def _read(log: str) -> str:
    try:
        if log == "-":
            data = sys.stdin.buffer.read(_LARGEST) if sys.stdin else b""
        else:
            data = run.read(log)[:_LARGEST]
    except OSError as error:
        raise click.ClickException(f"{log}: {error.strerror or error}") from None
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # what PowerShell's > writes
    return data.decode("utf-16" if utf16 else "utf-8-sig", "replace")


def _as_text(found: Diagnosis, rules: catalog.Catalog, style: Style) -> Iterator[str]:
    for number, error in enumerate(found.errors, 1):
        head = f"{number} of {len(found.errors)}" if len(found.errors) > 1 else "error"
        times = f" ({error.count} times)" if error.count > 1 else ""
        said = wrapped(one_line(error.title) + times, style, 2, len(head) + 2)
        yield f"{paint(head, 'bold', style)}: {said}\n\n"
        for answer in error.answers[:_SHOWN]:
            yield from _answer(answer, style)
        if (more := len(error.answers) - _SHOWN) > 0:
            yield f"  … and {more} less likely (--output-format json has all)\n\n"
    if not found.errors:
        said = "None of the rules knows this error: it is none of ours."
        if found.is_known:
            said = "Rules know such a text, but no place in this tree explains it: none of ours, or a wrong --root."
        yield f"{wrapped(said, style, 0)}\n"
        for rule in found.nearest:
            code = paint(rule.code, severity_color(rule.severity), style)
            yield f"  near: {code} {wrapped(f'{rule.name}: {rule.summary}', style, 4, 15)}\n"
    elif found.others:
        yield f"{len(found.others)} other error{'s' if len(found.others) > 1 else ''} in it: none of ours\n"


def _answer(answer: Answer, style: Style) -> Iterator[str]:
    certainty = paint(answer.certainty, "green" if answer.certainty in ("sure", "likely") else "yellow", style)
    yield f"{certainty}: {wrapped(one_line(answer.why), style, 2, len(answer.certainty) + 2)}\n"
    if answer.finding is not None and answer.source is not None:
        place = place_of(answer.source, answer.finding.span)
        yield from full.block(answer.source, answer.finding, place, answer.rule.url, style, {})
    else:
        yield f"{paint(answer.rule.code, severity_color(answer.rule.severity), style)} {answer.rule.name}\n"
        yield f"  {wrapped(answer.advice, style, 2, 2)}\n"
    yield "\n"


def _as_data(found: Diagnosis) -> dict[str, Any]:
    return {
        "errors": [
            {"error": error.title, "count": error.count, "answers": [_answer_data(a) for a in error.answers]}
            for error in found.errors
        ],
        "unknown": list(found.others),
        "nearest": [rule.code for rule in found.nearest],
    }


def _answer_data(answer: Answer) -> dict[str, Any]:
    data: dict[str, Any] = {
        "code": answer.rule.code,
        "name": answer.rule.name,
        "certainty": answer.certainty,
        "why": answer.why,
        "symptom": answer.symptom,
        "score": round(answer.score, 2),
        "url": answer.rule.url,
    }
    if answer.finding is not None and answer.source is not None:
        place = place_of(answer.source, answer.finding.span)
        data |= {
            "message": answer.finding.message,
            "consequence": answer.finding.consequence,
            "filename": os.path.abspath(answer.path),
            "location": {"row": place.line, "column": place.column},
            "end_location": {"row": place.end_line, "column": place.end_column},
        }
        if (fix := answer.finding.fix) is not None:
            mended = fixing.splice(answer.source, fix.edits)
            data["fix"] = {
                "message": fix.title,
                "applicability": fix.applicability.value,
                "diff": fixing.diff(answer.source, mended),
            }
    else:
        data["advice"] = answer.advice
    return data


def _as_commands(found: Diagnosis) -> Iterator[str]:
    for error in found.errors:
        answer = error.answers[0]
        place = ""
        if answer.finding is not None and answer.source is not None:
            line = place_of(answer.source, answer.finding.span).line
            place = f"file={answer.source.path.replace(os.sep, '/')},line={line},"
        told = answer.finding.message if answer.finding is not None else answer.advice
        text = f"{error.title} -> {answer.rule.code}: {told} ({answer.certainty}: {answer.why})"
        data = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        yield f"::error {place}title=pitfall-lint ({answer.rule.code})::{data}\n"


def _mend(error: Diagnosed, rules: catalog.Catalog, root: str, isolated: bool) -> None:
    """Apply the fix of the best answer and say so; or say that it has none."""
    best = error.answers[0]
    if best.finding is None or best.finding.fix is None or best.certainty not in ("sure", "likely"):
        output.remark(f"{best.rule.code}: nothing to apply for {error.title!r}")
        return
    settings = config.Resolver({}, isolated=isolated).for_folder(root)
    project, chosen, wanted = run.open_project(settings), rules.select([best.rule.code]), best.finding
    source = Source(run.shown_path(best.path), run.read(best.path))
    result = fixing.fix_source(
        source,
        lambda text: lint.lint_source(text, chosen, project),
        unsafe=True,
        wanted=lambda finding: (finding.message, finding.definition) == (wanted.message, wanted.definition),
    )
    if result.changed:
        fixing.write_atomically(Path(best.path), result.source.data)
        output.remark(f"{source.path}: {best.rule.code} mended ({wanted.fix.title if wanted.fix else ''})")
