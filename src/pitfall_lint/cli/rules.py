"""`pitfall-lint rules`: the catalogue as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from pitfall_lint import catalog
from pitfall_lint.cli import output
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.paint import paint, severity_color, wrapped


@click.command("rules", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selectors", nargs=-1, metavar="[RULES]...")
@click.option(
    "--output-format",
    type=click.Choice(("text", "json", "markdown")),
    default="text",
    help="How to list them.",
)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colours.")
def command(selectors: tuple[str, ...], output_format: str, color: str) -> int:
    """List all rules, or those that codes, prefixes, names or families stand for."""
    try:
        rules = catalog.load()
        parts = [part for text in selectors for part in text.split(",")]
        wanted = {rule.code for part in parts for rule in rules.matching(part)[1]}
    except (catalog.PageError, catalog.SelectorError) as error:
        raise click.ClickException(str(error)) from None
    listed = [rule for rule in rules if not parts or rule.code in wanted]
    if output_format == "json":
        click.echo(json.dumps([catalog.as_settings(rule) for rule in listed], indent=2, ensure_ascii=False))
    elif output_format == "markdown":
        click.echo(markdown(listed), nl=False)
    else:
        output.write(_text(listed, output.style_for(sys.stdout, color, False)), sys.stdout)
    return 0


def markdown(rules: list[catalog.Rule]) -> str:
    """Return the table that stands in the README."""
    lines = ["| Code | Name | What it reports | Fix | Set |", "|---|---|---|---|---|"]
    for rule in rules:
        fix = rule.fix.value if rule.fix else ""
        page = f"rules/{rule.family}/{rule.name}.md"
        summary = rule.summary.replace("|", "\\|")
        kind = "default" if rule.is_default else "strict"
        lines.append(f"| {rule.code} | [{rule.name}]({page}) | {summary} | {fix} | {kind} |")
    return "\n".join(lines) + "\n"


def _text(rules: list[catalog.Rule], style: Style) -> Iterator[str]:
    family = ""
    for rule in rules:
        if rule.family != family:
            yield f"{'' if not family else chr(10)}{paint(rule.family, 'bold', style)}\n"
            family = rule.family
        marks = ", ".join(
            mark for mark in ("" if rule.is_default else "strict", f"{rule.fix.value} fix" if rule.fix else "") if mark
        )
        tail = f"  ({marks})" if marks else ""
        yield f"  {paint(rule.code, severity_color(rule.severity), style)} {rule.name}{tail}\n"
        yield f"         {wrapped(rule.summary, style, 9)}\n"
