"""`pitfall-lint routes`: the paths that a project registers, prefixes and mounts joined."""

from __future__ import annotations

import dataclasses
import json
import os
import sys

import click

from pitfall_lint import catalog, libraries
from pitfall_lint.semantic import hollow, table
from pitfall_lint.semantic.project import Project, read_bytes


@click.command("routes", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to list them.")
def command(folder: str, output_format: str) -> int:
    """Print the route table of a project as the rules see it: for debugging, nothing is run."""
    rows = libraries.load(catalog.library_files())
    wanted = hollow.speaks_of_routes(rows)

    def read(path: str) -> bytes | None:
        data = read_bytes(path)
        return hollow.hollow(data, wanted) if data is not None else None

    project = Project(rows, root=folder, read=read)
    paths = sorted(
        os.path.join(inside, name)
        for inside, _, names in os.walk(os.path.abspath(folder))
        for name in names
        if name.endswith(".py")
    )
    told = [path for path in paths if wanted.search(read_bytes(path) or b"")]
    files = [file for path in told if (file := project.open(path)) is not None]
    entries = table.table(files)
    if output_format == "json":
        sys.stdout.write(json.dumps([dataclasses.asdict(entry) for entry in entries], indent=2) + "\n")
        return 0
    for entry in entries:
        place = f"{os.path.relpath(entry.file, folder)}:{entry.line}"
        sys.stdout.write(f"{entry.methods or entry.kind:10}{entry.path:50}  {place}\n")
    return 0
