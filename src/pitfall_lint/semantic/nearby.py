"""What a file and the modules that it imports say, told in bytes: slashes of texts, local addresses, client makers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from pitfall_lint.libraries.paths import Text, UrlUse
from pitfall_lint.semantic.joints import Edges, edges_in
from pitfall_lint.semantic.localnames import LocalNames, visible_names
from pitfall_lint.semantic.wants import ends_of

if TYPE_CHECKING:
    from pitfall_lint.libraries import Libraries
    from pitfall_lint.semantic.project import Project
    from pitfall_lint.source import Source


class Nearby:
    """The questions of one screen; `based` when it matters where clients with a base address are made."""

    def __init__(self, libraries: Libraries, *, based: bool) -> None:
        starting, ending = (
            frozenset(
                name.rpartition(".")[2] for row in libraries.rows(Text) if getattr(row, side) for name in row.name
            )
            for side in ("leading", "trailing")
        )
        self._known = Edges(starting, ending)
        self._edges: dict[str, Edges] = {}
        self._local: dict[str, frozenset[str]] = {}
        self._makers: dict[str, bool] = {}
        clients = [row for row in libraries.rows(UrlUse) if row.base == "reference" and row.client] if based else []
        calls = [rb"%s\((?:[^()]|\([^()]*\))*?%s" % ends_of(row.client, row.url) for row in clients]
        self._maker = re.compile(b"|".join(calls)) if calls else None

    @property
    def known_names(self) -> frozenset[str]:
        """The names of which the libraries' rows know the slashes."""
        return self._known.starting | self._known.ending

    def edges(self, source: Source, data: bytes, project: Project | None) -> Edges:
        """Return the names of which a file, what it imports, or the libraries' rows know the slashes."""
        found = self._edges[os.path.abspath(source.path)] = edges_in(data)
        for path in project.imported_by(source) if project is not None else ():
            if path not in self._edges and project is not None:
                self._edges[path] = edges_in(project.read(path) or b"")
            found |= self._edges[path]
        return found | self._known

    def makes_based_clients(self, source: Source, data: bytes, project: Project | None) -> bool:
        """Tell whether a file, or what it imports, makes a client that resolves addresses against a base."""
        if project is None or self._maker is None or self._maker.search(data):
            return True
        for path in project.imported_by(source):
            if path not in self._makers:
                self._makers[path] = self._maker.search(project.read(path) or b"") is not None
            if self._makers[path]:
                return True
        return False

    def local_names(self, source: Source, project: Project | None) -> LocalNames | None:
        """Return what in a file speaks of this machine; None when that cannot be told."""
        if project is None:
            return None
        paths = project.imported_by(source)
        for path in paths:
            if path not in self._local:
                self._local[path] = visible_names(project.read(path) or b"")
        return LocalNames(source.data, [self._local[path] for path in paths])

    def facts(self, source: Source, *, joined: bool, local: bool) -> Iterator[tuple[str, str]]:
        """Yield what a file alone says of all this, by name; "" where it is said of the whole file."""
        if joined:
            edges = self._edges.get(os.path.abspath(source.path)) or edges_in(source.data)
            for field in fields(edges):
                yield from ((name, field.name) for name in getattr(edges, field.name))
        if local:
            yield from ((name, "local") for name in visible_names(source.data))
        if self._maker is not None and self._maker.search(source.data) is not None:
            yield "", "maker"

    def forget(self, path: str) -> None:
        """Drop what is known of one file."""
        for known in (self._edges, self._local, self._makers):
            known.pop(os.path.abspath(path), None)
