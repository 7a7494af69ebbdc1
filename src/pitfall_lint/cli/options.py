"""The options of `check`, named as ruff names them, and the settings that they lay over the files'."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pitfall_lint.config import FORMATS, parse

F = TypeVar("F", bound=Callable[..., Any])


def _rule_list(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> list[str] | None:
    if not value:
        return None
    return [part.strip() for text in value for part in text.split(",") if part.strip()]


def _pattern_map(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, list[str]] | None:
    found: dict[str, list[str]] = {}
    for text in value:
        for pair in text.split(","):
            pattern, colon, selector = pair.strip().rpartition(":")
            if not colon or not pattern or not selector:
                raise click.BadParameter(f"{pair!r} must be PATTERN:RULE, as in 'tests/*:PIT501'")
            found.setdefault(pattern.strip(), []).append(selector.strip())
    return found or None


def complete_rules(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the selectors that a word may become."""
    from pitfall_lint import catalog

    head, comma, last = incomplete.rpartition(",")
    rules = catalog.load()
    words = ["ALL", *rules.families, *(rule.code for rule in rules), *(rule.name for rule in rules)]
    return [head + comma + word for word in words if word.lower().startswith(last.lower())]


def _rules(flag: str, text: str) -> Callable[[F], F]:
    return click.option(
        flag, multiple=True, metavar="RULES", callback=_rule_list, help=text, shell_complete=complete_rules
    )


def _patterns(flag: str, text: str) -> Callable[[F], F]:
    return click.option(flag, multiple=True, metavar="PATTERNS", callback=_rule_list, help=text)


def _flag(*names: str, text: str) -> Callable[[F], F]:
    return click.option(*names, is_flag=True, default=None, help=text)


def _split_config(value: tuple[str, ...]) -> tuple[str | None, dict[str, Any]]:
    """Tell files from `key = value` pairs. Raises click.BadParameter, config.ConfigError."""
    file: str | None = None
    table: dict[str, Any] = {}
    for text in value:
        if "=" in text and not os.path.exists(text):
            table.update(parse(text, f"--config {text!r}"))
        elif file is not None:
            raise click.BadParameter("name one settings file only", param_hint="--config")
        else:
            file = text
    return file, table


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("paths", nargs=-1, type=click.Path(readable=False)),
    # what to do
    _flag("--fix/--no-fix", text="Mend what can be mended safely."),
    _flag("--unsafe-fixes/--no-unsafe-fixes", text="Take fixes, too, that a person should look at."),
    _flag("--fix-only/--no-fix-only", text="Mend, and keep quiet about what stays."),
    _flag("--show-fixes/--no-show-fixes", text="List what was mended."),
    click.option("--diff", is_flag=True, help="Show what --fix would change, and what stays; write nothing."),
    click.option("--statistics", is_flag=True, help="Count the findings of each rule."),
    # rules
    _rules("--select", "Rules to use: codes, prefixes, names, families or ALL, with commas between."),
    _rules("--ignore", "Rules to leave out."),
    _rules("--extend-select", "Rules to use beside the selected ones."),
    _rules("--extend-ignore", "Rules to leave out beside the ignored ones."),
    click.option(
        *("--per-file-ignores", "per_file_ignores"),
        multiple=True,
        metavar="PATTERN:RULE",
        callback=_pattern_map,
        help="Rules to leave out in some files.",
    ),
    click.option(
        *("--extend-per-file-ignores", "extend_per_file_ignores"),
        multiple=True,
        metavar="PATTERN:RULE",
        callback=_pattern_map,
        help="The same, beside the settings'.",
    ),
    _rules("--fixable", "Rules whose findings may be mended."),
    _rules("--unfixable", "Rules whose findings may not be mended."),
    click.option("--ignore-noqa", is_flag=True, help="Report what `# noqa` silences, too."),
    click.option(
        "--add-noqa",
        metavar="[=REASON]",
        help="Write a `# noqa: CODES` comment, with the reason if there is one, on each line with a finding.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(("error", "warning")),
        help="The least severity that makes a run fail (warning); a hint never does.",
    ),
    # old code
    click.option("--since", metavar="REV", help="Report only what the git revision REV did not have."),
    click.option("--baseline", metavar="FILE", help="Leave out the known findings that stand in this file."),
    click.option("--no-baseline", is_flag=True, help="Report known findings, too."),
    click.option(
        "--write-baseline",
        metavar="[FILE]",
        help="Make all of today's findings known ones (pitfall-baseline.txt).",
    ),
    click.option("--baseline-check", is_flag=True, help="Fail when known findings are gone, for CI."),
    click.option("--why", metavar="FILE:LINE", help="Tell why a line is reported, or why it is not."),
    # files
    _patterns("--exclude", "Files and folders to leave out."),
    _patterns("--extend-exclude", "Files and folders to leave out beside the excluded ones."),
    _flag("--force-exclude/--no-force-exclude", text="Leave out excluded files even when they are named."),
    _flag("--respect-gitignore/--no-respect-gitignore", text="Leave out what git ignores (the default)."),
    click.option("--stdin-filename", metavar="PATH", help="The name of what comes through standard input."),
    # output
    click.option(
        "--output-format",
        type=click.Choice(FORMATS),
        envvar="PITFALL_LINT_OUTPUT_FORMAT",
        help="How to report.",
    ),
    click.option("-o", "--output-file", metavar="PATH", envvar="PITFALL_LINT_OUTPUT_FILE", help="Where to report."),
    click.option(
        "--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colours."
    ),
    click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 even when there are findings."),
    click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 when something was mended."),
    click.option(
        "--timing",
        type=click.Choice(("text", "json")),
        metavar="[=json]",
        help="Tell on standard error where the time went, by stage and by rule, and how many lines were parsed.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print findings, nothing else."),
    click.option("-s", "--silent", is_flag=True, help="Print nothing."),
    click.option("-v", "--verbose", is_flag=True, help="Print what is going on, and tracebacks of internal errors."),
    # settings
    click.option(
        "--config", "config", multiple=True, metavar="FILE|KEY=VALUE", help="A settings file, or one setting."
    ),
    click.option("--isolated", is_flag=True, help="Use no settings file."),
    click.option(
        "-n",
        "--no-cache",
        is_flag=True,
        envvar="PITFALL_LINT_NO_CACHE",
        help="Neither read nor write the cache.",
    ),
    click.option("--cache-dir", metavar="PATH", envvar="PITFALL_LINT_CACHE_DIR", help="The folder of the cache."),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Processes to use; 0 decides by itself.",
    ),
    click.option(
        "--executor",
        metavar="dask://HOST:PORT",
        envvar="PITFALL_LINT_EXECUTOR",
        help="A cluster that does the closer looks (needs the extra `dask`, there and here).",
    ),
    click.option("-w", "--watch", is_flag=True, help="Stay, and look again at what changed (needs the extra `watch`)."),
    click.option(
        "--show-settings",
        is_flag=True,
        help="Print the settings of the first path, and where they come from.",
    ),
    click.option("--show-files", is_flag=True, help="Print the files that would be looked at."),
)


def check_options(function: F) -> F:
    """Give a command the options of `check`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_SETTINGS = (
    *("select", "ignore", "extend_select", "extend_ignore", "per_file_ignores", "extend_per_file_ignores"),
    *("fixable", "unfixable", "exclude", "extend_exclude", "force_exclude", "respect_gitignore", "fix"),
    *("fix_only", "show_fixes", "unsafe_fixes", "output_format", "cache_dir", "fail_on", "baseline"),
)


def overrides_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that the options lay over the files'; puts `config_file` beside the options."""
    options["config_file"], table = _split_config(options["config"])
    if options["config_file"] and options["isolated"]:
        raise click.UsageError("--isolated uses no settings file; --config names one")
    for name in _SETTINGS:
        if options.get(name) is not None:
            table[name.replace("_", "-")] = options[name]
    if options["fix_only"]:
        table["fix"] = True
    return table
