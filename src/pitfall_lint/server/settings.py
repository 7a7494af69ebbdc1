"""Settings of the editor and of files; what is wrong is said once, and the old ones stay."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pitfall_lint import config

SECTION = "pitfall-lint"


@dataclass(frozen=True)
class ClientSettings:
    """What the editor may set, per workspace folder."""

    enable: bool = True
    run: str = "onType"
    """onType or onSave."""
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extendSelect: tuple[str, ...] = ()
    extendIgnore: tuple[str, ...] = ()
    configuration: str = ""
    """A settings file to use in the place of the closest one."""
    showSyntaxErrors: bool = True
    fixAll: bool = True
    disableRuleComment: bool = True

    def overrides(self) -> dict[str, Any]:
        """Return what is laid over the settings of files."""
        table: dict[str, Any] = {}
        if self.select is not None:
            table["select"] = list(self.select)
        for name in ("ignore", "extendSelect", "extendIgnore"):
            if value := getattr(self, name):
                table[name.replace("S", "-s").replace("I", "-i")] = list(value)
        return table


_FIELDS = {field.name: field for field in dataclasses.fields(ClientSettings)}
_CLIENTS_OWN = {
    "trace",
    "path",
    "interpreter",
    "server",
    "importStrategy",
    "nativeServer",
    "args",
    "logLevel",
}


def read(value: Any, complain: Callable[[str], None]) -> ClientSettings:
    """Return the editor's settings; what it got wrong is complained about and left out."""
    if not isinstance(value, Mapping):
        if value is not None:
            complain(f"{SECTION}: the editor's settings must be a table, not {value!r}")
        return ClientSettings()
    values: dict[str, Any] = {}
    for key, given in value.items():
        field = _FIELDS.get(key)
        if field is None:
            if key not in _CLIENTS_OWN:
                near = difflib.get_close_matches(key, list(_FIELDS), 1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                complain(f"{SECTION}: unknown editor setting {key!r}{hint}")
            continue
        if given is None:
            continue
        default = field.default
        if isinstance(default, bool):
            fits = isinstance(given, bool)
        elif isinstance(default, str):
            fits = isinstance(given, str) and (key != "run" or given in ("onType", "onSave"))
        else:
            fits = isinstance(given, list) and all(isinstance(item, str) for item in given)
        if not fits:
            complain(f"{SECTION}: the editor setting {key} = {given!r} has the wrong type")
            continue
        values[key] = tuple(given) if isinstance(given, list) else given
    return ClientSettings(**values)


class SettingsOf:
    """Answers which settings hold for a path, by the workspace folder it stands in."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self.folders: dict[str, ClientSettings] = {}
        """Absolute path of each workspace folder, with what the editor says for it."""
        self.everywhere = ClientSettings()
        self._complain = complain
        self._said: set[str] = set()
        self._resolvers: dict[tuple[str, ClientSettings], config.Resolver] = {}
        self._good: dict[str, config.Settings] = {}
        self._stamps: dict[str, tuple[int, int] | None] = {}

    def folder_of(self, path: str) -> str | None:
        """Return the innermost workspace folder that holds a path."""
        inside = [folder for folder in self.folders if path.startswith(os.path.join(folder, ""))]
        return max(inside, key=len, default=None)

    def client(self, path: str) -> ClientSettings:
        """Return what the editor says for a path."""
        folder = self.folder_of(path)
        return self.folders[folder] if folder is not None else self.everywhere

    def of(self, path: str) -> config.Settings:
        """Return the settings of a file; when they can't be read, the last ones that could."""
        client = self.client(path)
        folder = self.folder_of(path) or os.path.dirname(path)
        here = os.path.dirname(path)
        try:
            resolver = self._resolvers.get((folder, client))
            if resolver is None:
                named = os.path.join(folder, client.configuration) if client.configuration else None
                resolver = config.Resolver(client.overrides(), config=named, folder=folder)
                self._resolvers[folder, client] = resolver
            settings = self._good[here] = resolver.for_file(path)
        except config.ConfigError as error:
            self.say(str(error))
            settings = self._good.get(here) or config.Resolver(isolated=True, folder=folder).for_file(path)
        for used in (settings.file, settings.baseline):
            if used:
                self._stamps.setdefault(used, _stamp(used))
        return settings

    def say(self, text: str) -> None:
        """Complain about something, once until it changes."""
        if text not in self._said:
            self._said.add(text)
            self._complain(text)

    def reload(self) -> None:
        """Read everything anew; the last good settings stay at hand."""
        self._resolvers.clear()
        self._stamps.clear()
        self._said.clear()

    def uses(self, path: str) -> bool:
        """Tell whether a file is one that settings were read from, or a baseline that they name."""
        return path in self._stamps

    def is_stale(self) -> bool:
        """Tell whether a settings file in use has changed: not every editor tells."""
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
