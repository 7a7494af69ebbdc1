"""The format for people: the source with the range underlined, what follows at run time, and the fix."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.catalog import Catalog
from pitfall_lint.finding import Applicability, Finding, Fix, Related
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.fixframe import changes
from pitfall_lint.reporters.frame import bar, frame, header
from pitfall_lint.reporters.paint import columns, link, one_line, paint, severity_color, wrapped
from pitfall_lint.reporters.place import Place, place_of, placed
from pitfall_lint.reporters.summary import is_fixable, summary
from pitfall_lint.run import Report, read
from pitfall_lint.source import Source


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield one block per finding and the summary."""
    others: dict[str, Source] = {file.path: file.source for file in report.files if file.source}
    for _, source, finding, place in placed(report):
        rule = rules.find(finding.code)
        yield "".join(block(source, finding, place, rule.url if rule else "", style, others)) + "\n"
    yield from summary(report, style)


def block(
    source: Source, finding: Finding, place: Place, url: str, style: Style, others: dict[str, Source]
) -> Iterator[str]:
    """Yield the lines of one finding; `others` are the texts of further files, read when needed."""
    color = severity_color(finding.severity)
    star = "[*] " if is_fixable(finding, style) else ""
    yield (
        f"{link(paint(finding.code, color, style), url, style)} {star and paint('[*]', 'cyan', style) + ' '}"
        + "\n".join(
            paint(line, "bold", style)
            for line in wrapped(
                one_line(finding.message), style, len(finding.code) + 1, len(finding.code) + 1 + len(star)
            ).split("\n")
        )
        + "\n"
    )
    related = [(place_in, item) for item in finding.related if (place_in := _related_place(item, source, others))]
    last = max([place.end_line + 2, *(where.end_line for (_, where), _ in related)])
    gutter = len(str(last))
    yield header(finding.path, place.line, place.column, gutter, style)
    yield bar(gutter, style)
    if source.data:
        yield from frame(source, place, gutter, style, color=color)
    for (text, where), item in related:
        yield bar(gutter, style)
        yield header(item.path, where.line, where.column, gutter, style, ":::")
        yield bar(gutter, style)
        label = one_line(item.message)
        yield from frame(text, where, gutter, style, mark="-", color="blue", label=label, context=0)
    yield bar(gutter, style)
    if finding.consequence:
        yield note("at run time", finding.consequence, gutter, style)
    yield from _fixes(source, finding, gutter, style)


def note(title: str, text: str, gutter: int, style: Style) -> str:
    """Return a line below the frame: `= title: text`, wrapped."""
    indent = gutter + 3 + len(title) + 2
    if style.width and indent > style.width // 2:
        indent = gutter + 3
    sign = paint("=", "blue", style)
    body = wrapped(one_line(text), style, indent, gutter + 3 + columns(title) + 2)
    return f"{' ' * gutter} {sign} {paint(title, 'bold', style)}: {body}\n"


def _fixes(source: Source, finding: Finding, gutter: int, style: Style) -> Iterator[str]:
    for number, fix in enumerate(finding.fixes):
        yield note("fix" if number == 0 else "or", fix.title + _grade(fix), gutter, style)
        if number == 0:
            yield from changes(source, fix, style, gutter)


def _grade(fix: Fix) -> str:
    if fix.applicability is Applicability.UNSAFE:
        return " (unsafe)"
    return " (to be done by hand)" if fix.applicability is Applicability.DISPLAY else ""


def _related_place(related: Related, source: Source, others: dict[str, Source]) -> tuple[Source, Place] | None:
    text = source if related.path == source.path else others.get(related.path)
    if text is None:
        try:
            text = others[related.path] = Source(related.path, read(related.path))
        except OSError:
            return None
    place = place_of(text, related.span)
    if place.end_line > place.line:  # a second place is shown, not told: its first line will do
        place = Place(place.line, place.column, place.line, len(text.line_text(place.line)) + 1)
    return text, place
