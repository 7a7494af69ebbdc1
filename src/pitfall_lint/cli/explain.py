"""`pitfall-lint explain`: a rule's page, the rules behind a run-time text, or those that look at a library."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping

import click

from pitfall_lint import catalog, config, libraries
from pitfall_lint.cli import output
from pitfall_lint.cli.options import complete_rules
from pitfall_lint.opening import open_project
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.paint import paint, severity_color, wrapped
from pitfall_lint.reporters.summary import counted


@click.command("explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("rule", metavar='RULE|"RUN-TIME TEXT"|LIBRARY', shell_complete=complete_rules)
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
@click.option("--json", "as_json", is_flag=True, help="The same as --output-format json.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colours.")
def command(rule: str, output_format: str, as_json: bool, color: str) -> int:
    """Explain a rule by its code or name, or find the rules behind an error that was seen at run time.

    The name of a library tells which rules look at it.
    """
    try:
        rules = catalog.load()
        exact = rules.find(rule.strip())
        concerned = {} if exact else _concerned(rule.strip(), rules)
    except catalog.PageError as error:
        raise click.ClickException(str(error)) from None
    found = [exact] if exact else list(concerned) or rules.find_by_symptom(rule)
    if not found:
        raise click.ClickException(_unknown(rule, rules))
    if as_json or output_format == "json":
        data = [catalog.as_settings(each) for each in found]
        click.echo(json.dumps(data[0] if exact else data, indent=2, ensure_ascii=False))
        return 0
    style = output.style_for(sys.stdout, color, False)
    if concerned:
        click.echo(f"{counted(len(found), 'rule')} know{'s' * (len(found) == 1)} {rule.strip()}:\n")
        _list(found, concerned, style)
        click.echo(f"\n{wrapped(f'Read one: `pitfall-lint explain {found[0].code}`', style, 0)}")
        return 0
    if len(found) > 1:
        click.echo(f"{len(found)} rules know this text:\n")
        _list(found, {}, style)
        click.echo(f"\nThe first one; the others: `pitfall-lint explain {found[1].code}`\n")
    _print_page(_for_people(found[0]), style.color, style.width)
    return 0


def _concerned(name: str, rules: catalog.Catalog) -> dict[catalog.Rule, str]:
    """Return the rules that have rows of a library, with the versions that those are about."""
    if not re.fullmatch(r"[\w-]+", name):
        return {}
    try:
        known = open_project(config.Resolver().for_folder(".")).libraries
    except (config.ConfigError, libraries.LibraryError):  # the settings of a project are no reason to explain nothing
        known = libraries.load(catalog.library_files())
    rows = [row for row in known.all_rows() if row.library == name.lower().replace("-", "_")]
    found = {}
    for rule in rules if rows else ():
        kinds = {kind for key, kind in libraries.kinds().items() if key in rule.asks}
        its = [row for row in rows if type(row) in kinds]
        if its:
            versions = sorted({row.versions for row in its})
            found[rule] = "" if "" in versions else ", ".join(versions)
    return found


def _list(found: Iterable[catalog.Rule], versions: Mapping[catalog.Rule, str], style: Style) -> None:
    for rule in found:
        code = paint(rule.code, severity_color(rule.severity), style)
        about = f" ({versions[rule]})" if versions.get(rule) else ""
        click.echo(f"  {code} {wrapped(f'{rule.name}{about}: {rule.summary}', style, 9)}")


def _unknown(text: str, rules: catalog.Catalog) -> str:
    try:
        rules[text]
    except catalog.SelectorError as error:
        hint = str(error) if "did you mean" in str(error) else f"no rule knows {text!r}"
        return f"{hint}; `pitfall-lint rules` lists them all"
    return ""


def _for_people(rule: catalog.Rule) -> str:
    """Return the page with a sentence in the place of the block that the machine reads."""
    kind = "on by default" if rule.is_default else "strict: only where it is selected"
    fix = f"{rule.fix.value} fix" if rule.fix else "no fix"
    facts = f"*{rule.family}, {rule.severity.value}, {kind}, {fix}*\n\n{rule.url}\n"
    if rule.symptoms:
        facts += "\nSeen at run time:\n\n" + "".join(f"- `{symptom}`\n" for symptom in rule.symptoms)
    return re.sub(r"^```toml\n.*?^```\n", lambda match: facts, rule.page.text, count=1, flags=re.M | re.S)


def _print_page(text: str, color: bool, width: int) -> None:
    """Print Markdown as it is into a pipe, and rendered on a terminal."""
    if not color:
        click.echo(text, nl=not text.endswith("\n"))
        return
    from rich.console import Console  # loaded late: only a coloured page needs it
    from rich.markdown import Markdown

    console = Console(force_terminal=True, width=width or 80, highlight=False)
    console.print(Markdown(text, code_theme="ansi_dark"))
