"""`pitfall-lint libraries check`: whether library rows can be used, with the place of every mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from pitfall_lint import catalog, config, installed, libraries, run
from pitfall_lint.cli import output
from pitfall_lint.reporters.summary import counted


@click.group("libraries", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Library rows tell what other people's code does: which calls start tasks, what has to be closed."""


@command.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> int:
    """Check files of rows; without any those of the settings and of installed packages."""
    try:
        settings = config.Resolver().for_folder(".")
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from None
    shipped = installed.row_files(settings.root if settings.file else "")
    wanted = files or (*(Path(path) for path in settings.libraries), *shipped)
    if not wanted:
        click.echo("There are no rows to check: name files, or set `libraries` in the settings.")
        return 0
    known = libraries.load(catalog.library_files())
    failed = [path for path in wanted if not _is_good(path, known)]
    return 1 if failed else 0


def _is_good(path: Path, known: libraries.Libraries) -> bool:
    shown = run.shown_path(str(path))
    try:
        rows = list(libraries.load([path]).all_rows())
    except libraries.LibraryError as error:
        output.complain(str(error))
        return False
    kinds = Counter(type(row).__name__.lower() for row in rows)
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    click.echo(f"{shown}: {counted(len(rows), 'row')}{f' ({told})' if told else ''}")
    for text in _doubtful(rows, known):
        output.remark(f"{shown}: {text}")
    return True


def _doubtful(rows: Iterable[libraries.Row], known: libraries.Libraries) -> Iterable[str]:
    """Yield what can be read but hardly does what its author wants."""
    for row in rows:
        for name in row.names:
            if "." not in name:
                yield f"{name!r} has no module before it, so nothing is ever called that"
            elif any(name in other.names for other in known.rows(type(row))):
                yield f"{name!r} has a row that travels with pitfall-lint; that one comes first"
