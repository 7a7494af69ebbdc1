"""`--timing`: where a run's time went, told on standard error after the report."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pitfall_lint import catalog, timing
from pitfall_lint.cli import output
from pitfall_lint.reporters.paint import paint

if TYPE_CHECKING:
    from pitfall_lint.cli.check import _Run
    from pitfall_lint.reporters import Style

_BAR = 12
_RULES = 15
"""Rules that are listed for people, the dearest ones."""


def tell(make: Callable[[], _Run]) -> int:
    """Do a run with a clock, and tell what it says."""
    before, started = time.process_time(), time.perf_counter()
    clock = timing.start()
    timing.listen()
    check = make()
    try:
        code = check.go()
    finally:
        figures = clock.take()
        timing.stop()
    wall = before + time.perf_counter() - started
    figures.add(check.report.figures)
    figures.files["all"] = len(check.linted) or int(check.is_stdin)
    figures.lines["all"] = sum(map(_lines_of, check.linted))
    if check.stdin_source is not None:
        figures.lines["all"] = check.stdin_source.data.count(b"\n")
    if check.options["timing"] == "json":
        pieces = iter([json.dumps(as_data(figures, wall), indent=2), "\n"])
    else:
        style = output.style_for(sys.stderr, check.options["color"], False)
        pieces = lines(figures, wall, {rule.code: rule.name for rule in catalog.load()}, style)
    with contextlib.suppress(OSError, ValueError):
        output.write(pieces, sys.stderr)
    return code


def as_data(figures: timing.Figures, wall: float) -> dict[str, Any]:
    """Return what was measured as plain data, in milliseconds, lines and files."""
    stages = {stage: round(figures.milliseconds(stage), 1) for stage in timing.STAGES}
    return {
        "wall_ms": round(wall * 1000, 1),
        "cpu_ms": round(sum(figures.milliseconds(stage) for stage in timing.STAGES), 1),
        "processes": figures.processes,
        "files": {kind: figures.files[kind] for kind in ("all", "looked")},
        "lines": {kind: figures.lines[kind] for kind in ("all", "ast", "snippets", "drafts", "libcst")},
        "stages": stages,
        "rules": {code: {"cpu_ms": round(spent, 1), "definitions": count} for code, spent, count in figures.rules()},
    }


def lines(figures: timing.Figures, wall: float, names: dict[str, str], style: Style) -> Iterator[str]:
    """Yield the lines for people, which fit on 80 columns."""
    spent = {stage: figures.milliseconds(stage) for stage in timing.STAGES}
    total = sum(spent.values()) or 1
    processes = f"{figures.processes} processes" if figures.processes > 1 else "one process"
    yield f"\n{paint('Time', 'bold', style)}: {total / 1000:.2f} s of CPU in {processes}, {wall:.2f} s on the clock\n\n"
    yield f"  {'stage':<9}{'CPU ms':>8}{'%':>6}\n"
    for stage, what in timing.STAGES.items():
        share = spent[stage] / total
        bar = paint("█" * round(share * _BAR), "cyan", style)
        yield f"  {stage:<9}{spent[stage]:>8,.0f}{share * 100:>6.1f}  {what:<38} {bar}".rstrip() + "\n"
    every = figures.lines["all"]
    ast, drafts, libcst = (f"{figures.lines[kind] / (every or 1):.2%}" for kind in ("ast", "drafts", "libcst"))
    yield f"\n{paint('Lines', 'bold', style)}: {every:,}; read by ast {ast}, drafted {drafts}, by LibCST {libcst}\n"
    files, looked = figures.files["all"], figures.files["looked"]
    yield f"{paint('Files', 'bold', style)}: {files:,}, of which {looked:,} were looked at\n"
    rules = figures.rules()
    if not rules:
        return
    yield f"\n  {'rule':<44}{'CPU ms':>8}{'definitions':>13}\n"
    for code, cost, definitions in rules[:_RULES]:
        yield f"  {code} {names.get(code, ''):<37}{cost:>8,.1f}{definitions:>13,}\n"
    if len(rules) > _RULES:
        rest = rules[_RULES:]
        more = f"{len(rest)} more"
        yield f"  {more:<44}{sum(cost for _, cost, _ in rest):>8,.1f}{sum(count for *_, count in rest):>13,}\n"


def _lines_of(path: str) -> int:
    try:
        with open(path, "rb") as stream:
            return stream.read().count(b"\n")
    except OSError:
        return 0
