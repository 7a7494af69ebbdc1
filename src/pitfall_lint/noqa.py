"""Writes and weeds `# noqa` comments: adds them where findings are, and finds those that silence nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pitfall_lint.catalog import Rule
from pitfall_lint.finding import Applicability, Edit, Finding, Fix, Span
from pitfall_lint.source import Source
from pitfall_lint.suppressions import Directive, Suppressions

UNUSED = "PIT002"
_OURS = re.compile(r"PIT\d+")


def visible(source: Source, findings: Sequence[Finding], rules: Iterable[Rule]) -> list[Finding]:
    """Return the findings that no comment silences, and, if that rule runs, the comments without effect."""
    if b"noqa" not in source.data.lower():
        return list(findings)
    comments = Suppressions(source)
    shown = [f for f in findings if not comments.silencer(f.code, source.position(f.span.start)[0])]
    by_code = {rule.code: rule for rule in rules}
    if UNUSED in by_code:
        unused = _unused(source, comments, findings, by_code)
        shown += [f for f in unused if not _is_wanted(comments, f, source)]
        shown.sort(key=lambda finding: (finding.span, finding.code))
    return shown


def _is_wanted(comments: Suppressions, finding: Finding, source: Source) -> bool:
    """Tell whether somebody wrote that this comment is to be left alone."""
    directive = comments.silencer(finding.code, source.position(finding.span.start)[0])
    return directive is not None and UNUSED in directive.codes


def _unused(
    source: Source, comments: Suppressions, findings: Sequence[Finding], rules: dict[str, Rule]
) -> Iterator[Finding]:
    rows: dict[int, set[str]] = {}
    for finding in findings:
        row = comments.noqa_row(source.position(finding.span.start)[0])
        rows.setdefault(row, set()).add(finding.code)
    anywhere = {finding.code for finding in findings}
    for directive in comments.directives:
        at_work = anywhere if directive.whole_file else rows.get(directive.line, set())
        idle = [c for c in directive.codes if c in rules and c not in at_work and c != UNUSED]
        if not idle:
            continue
        rule, codes = rules[UNUSED], ", ".join(idle)
        where = "in this file" if directive.whole_file else "here"
        yield Finding(
            source.path,
            directive.span,
            f"`noqa` silences nothing: there is no {codes} {where}",
            code=rule.code,
            name=rule.name,
            severity=rule.severity,
            fixes=(_without(source, directive, idle),),
        )


def _without(source: Source, directive: Directive, idle: Sequence[str]) -> Fix:
    kept = [code for code in directive.codes if code not in idle]
    text = source.text(directive.span.start, directive.span.end)
    title = f"Remove {', '.join(idle)} from the comment" if kept else "Remove the comment"
    if kept:
        head = text[: text.index(":", text.lower().index("noqa")) + 1]
        return Fix(title, (Edit(directive.span, f"{head} {', '.join(kept)}"),), Applicability.SAFE)
    line_end = source.line_starts[directive.line - 1] + len(source.lines[directive.line - 1].rstrip(b"\r\n"))
    rest = source.text(directive.span.end, line_end).strip(" \t:-–")
    if rest and not rest.startswith("#"):
        return Fix(title, (Edit(Span(directive.span.start, line_end), f"# {rest}"),), Applicability.SAFE)
    start = directive.span.start
    while start > source.line_starts[directive.line - 1] and source.data[start - 1 : start] in (b" ", b"\t"):
        start -= 1
    if start == source.line_starts[directive.line - 1] and not rest:  # the comment has the line for itself
        line_end = start + len(source.lines[directive.line - 1])
        return Fix(title, (Edit(Span(start, line_end), ""),), Applicability.SAFE)
    return Fix(title, (Edit(Span(start, directive.span.end), ""),), Applicability.SAFE)


def silence(source: Source, findings: Iterable[Finding], reason: str = "") -> list[Edit]:
    """Return the edits that silence findings on their lines, merged into the comments that are there."""
    comments = Suppressions(source)
    rows: dict[int, list[str]] = {}
    for finding in findings:
        line = source.position(finding.span.start)[0]
        if comments.silencer(finding.code, line) is None and _OURS.fullmatch(finding.code):
            codes = rows.setdefault(comments.noqa_row(line), [])
            if finding.code not in codes:
                codes.append(finding.code)
    existing = {d.line: d for d in comments.directives if not d.whole_file}
    edits = []
    for row, codes in sorted(rows.items()):
        added = ", ".join(sorted(codes))
        if row in existing:
            end = existing[row].span.end
            edits.append(Edit(Span(end, end), f", {added}"))
            continue
        text = source.lines[row - 1].rstrip(b"\r\n")
        start = source.line_starts[row - 1]
        comment = f"  # noqa: {added}" + (f" {reason}" if reason else "")
        edits.append(Edit(Span(start + len(text.rstrip()), start + len(text)), comment))
    return edits


def silence_file(source: Source, code: str) -> Edit | None:
    """Return the edit that silences a rule in the whole file; None when it is silenced already."""
    existing = [directive for directive in Suppressions(source).directives if directive.whole_file]
    if any(directive.silences(code) for directive in existing):
        return None
    if existing:
        end = existing[-1].span.end
        return Edit(Span(end, end), f", {code}")
    line = 0  # behind a shebang and a coding line
    while line < min(2, len(source.lines)) and re.match(rb"#!|[ \t\f]*#.*?coding[:=]", source.lines[line]):
        line += 1
    at = source.line_start(line)
    return Edit(Span(at, at), f"# pitfall-lint: noqa: {code}{source.newline}")
