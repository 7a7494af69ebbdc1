"""`pitfall-lint init`: writes settings that fit a project, and what ruff and pre-commit need to know."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from pitfall_lint import catalog, config, fixing, libraries, run
from pitfall_lint.cli import output, tables
from pitfall_lint.reporters.paint import paint, wrapped

_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@click.command("init", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--diff", is_flag=True, help="Show what would change; write nothing.")
@click.option(
    "--add-library",
    multiple=True,
    metavar="MODULE.CLASS",
    help="Draft a library row for a class of yours that wraps a session, e.g. my_http.Client.",
)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colours.")
def command(folder: Path, diff: bool, add_library: tuple[str, ...], color: str) -> int:
    """Write settings that fit the project in FOLDER (default: here); what is there already stays as it is."""
    plan = Plan(folder)
    try:
        plan.settings(add_library)
        plan.ruff()
        plan.pre_commit()
        for name in add_library:
            plan.library(name)
    except (tables.TableError, config.ConfigError, libraries.LibraryError, catalog.PageError) as error:
        raise click.ClickException(str(error)) from None
    style = output.style_for(sys.stdout, color, False)
    for path, (before, after) in plan.texts.items():
        for line in _diff(path, before, after):
            click.echo(paint(line, _COLORS.get(line[:1], "dim"), style), color=style.color)
        if not diff and before != after:
            fixing.write_atomically(path, after.encode())
    changed = [run.shown_path(str(path)) for path, (before, after) in plan.texts.items() if before != after]
    verb = "Would change" if diff else "Changed"
    click.echo(f"{verb} {', '.join(changed)}." if changed else "Nothing to change: everything is set up.")
    for note in plan.notes:
        click.echo(f"- {wrapped(note, style, 2)}")
    return 0


def _diff(path: Path, before: str, after: str) -> Iterator[str]:
    name = run.shown_path(str(path))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="")
    return iter(lines)


class Plan:
    """What is to be written: the texts of files before and after."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.texts: dict[Path, tuple[str, str]] = {}
        self.notes: list[str] = []

    def _change(self, path: Path, change: Callable[[str], str]) -> None:
        before, now = self.texts.get(path) or (_read(path), _read(path))
        self.texts[path] = before, change(now)

    @property
    def settings_file(self) -> Path:
        """The file that holds our settings, or will: pyproject.toml where there is one."""
        for name in config.FILES:
            if (self.folder / name).is_file():
                return self.folder / name
        return self.folder / "pitfall-lint.toml"

    def settings(self, added: tuple[str, ...]) -> None:
        """Write our table: source roots, own rows. Raises TableError."""
        roots = _source_roots(self.folder)
        values: dict[str, object] = {"src": roots} if roots else {}
        own = ["pitfall-libraries.toml"] if added else []
        header = ("tool", "pitfall-lint") if self.settings_file.name == "pyproject.toml" else ()
        path = self.settings_file
        self._change(path, lambda text: tables.with_settings(text, header, values, {"libraries": own}, path))
        self.notes += _known_versions(self.folder)

    def ruff(self) -> None:
        """Tell ruff that our codes are not its own, where ruff is used."""
        for name in ("ruff.toml", ".ruff.toml"):
            if (self.folder / name).is_file():
                self._external(self.folder / name, ("lint", "external"))
                return
        path = self.folder / "pyproject.toml"
        if path.is_file() and tables.has(_read(path), ("tool", "ruff"), path):
            self._external(path, ("tool", "ruff", "lint", "external"))

    def _external(self, path: Path, key: tuple[str, ...]) -> None:
        self._change(path, lambda text: tables.with_list(text, key, ["PIT"], path))

    def pre_commit(self) -> None:
        """Add our hook to pre-commit's configuration, where there is one."""
        path = self.folder / ".pre-commit-config.yaml"
        if not path.is_file():
            self.notes.append("no .pre-commit-config.yaml here; README's section pre-commit shows the entry")
            return
        self._change(path, tables.with_hook)

    def library(self, name: str) -> None:
        """Draft a row for a class. Raises TableError when there is none of this name."""
        from pitfall_lint.cli import drafting

        settings = config.Resolver(folder=str(self.folder)).for_folder(str(self.folder))
        # The file of rows may be named and not be there yet: this is what makes it.
        there = tuple(path for path in settings.libraries if Path(path).exists())
        row = drafting.draft(name, self.folder, run.open_project(replace(settings, libraries=there)))
        path = self.folder / "pitfall-libraries.toml"
        self._change(path, lambda text: text if f'"{name}"' in text else _joined(text, row))
        self.notes.append(f"{path.name}: a draft; look it over, then run `pitfall-lint libraries check`")


def _joined(text: str, row: str) -> str:
    return f"{text.rstrip()}\n\n{row}" if text.strip() else row


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise tables.TableError(f"{path}: {error}") from None


def _source_roots(folder: Path) -> list[str]:
    """Return the folders that imports start from, when `.` and `src` are not all of them."""
    found = []
    for child in sorted(folder.iterdir()):
        if child.name.startswith(".") or child.name in (*config.EXCLUDED, "src", "tests", "docs"):
            continue
        if child.is_dir() and not (child / "__init__.py").exists():
            if any((inner / "__init__.py").is_file() for inner in child.iterdir() if inner.is_dir()):
                found.append(child.name)
    return [".", "src", *found] if found else []


def _known_versions(folder: Path) -> Iterator[str]:
    """Yield the versions that the project's files tell of the libraries that rows know."""
    from pitfall_lint import versions

    known = versions.project_versions(folder, top=folder)
    for path in catalog.library_files():
        name = path.stem.replace("_", "-")
        if (found := known.allowed(name)) is not None:
            yield f"{name}: its versions come from {found[1]}"
