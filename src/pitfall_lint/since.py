"""What has changed since a git revision: which files can have new findings, and what they said before.

A finding counts as new when the revision's text does not have it, so a caller that became wrong because its
callee changed is reported although its own lines did not change.
"""

from __future__ import annotations

import itertools
import keyword
import os
import re
import subprocess
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from functools import cached_property

from pitfall_lint.semantic.project import read_bytes

_SECONDS = 60
_PYTHON = ":(top)*.py"


class SinceError(ValueError):
    """The revision cannot be compared with; the message says why and what to do."""


class Since:
    """The difference between the working tree and a revision. Raises SinceError."""

    def __init__(self, revision: str, folder: str = ".") -> None:
        self.folder = folder
        self.root = os.path.realpath(self._git("rev-parse", "--show-toplevel").decode().rstrip("\n"))
        try:
            commit = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except SinceError:
            raise SinceError(self._unknown(revision)) from None
        self.commit = commit.decode().strip()

    def _git(self, *arguments: str) -> bytes:
        try:
            done = subprocess.run(
                ["git", "-C", self.folder, *arguments], capture_output=True, timeout=_SECONDS, check=False
            )
        except FileNotFoundError:
            raise SinceError("--since needs git, which is not installed") from None
        except subprocess.TimeoutExpired:
            raise SinceError(f"git {arguments[0]} took longer than {_SECONDS} s") from None
        if done.returncode:
            reason = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise SinceError(f"--since: {reason or 'git ' + arguments[0] + ' failed'}")
        return done.stdout

    def _unknown(self, revision: str) -> str:
        shallow = self._git("rev-parse", "--is-shallow-repository").strip() == b"true"
        if shallow:
            return (
                f"--since: this shallow clone does not have {revision!r}; "
                "fetch more of it (git fetch --deepen=100, or fetch-depth: 0 in GitHub's checkout)"
            )
        return f"--since: git knows no revision {revision!r} here"

    @cached_property
    def changed(self) -> frozenset[str]:
        """Real paths of the Python files that are new or different, those that git does not track yet too."""
        different = self._git("diff", "--name-only", "-z", "--no-renames", self.commit, "--", _PYTHON)
        untracked = self._git("ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", _PYTHON)
        names = {name for name in (different + untracked).decode("utf-8", "surrogateescape").split("\0") if name}
        return frozenset(os.path.join(self.root, name) for name in names)

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """What tracked files that were moved are called now, and what the revision calls them."""
        arguments = ("--name-status", "-z", "--find-renames", "--diff-filter=R", self.commit, "--", _PYTHON)
        words = self._git("diff", *arguments).decode("utf-8", "surrogateescape").split("\0")
        return {words[i + 2]: words[i + 1] for i in range(0, len(words) - 2, 3)}

    def candidates(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield those of some files that changed, or that use what changed: a definition of a changed module,
        at most four calls away. Names are compared, so rather too many than too few.
        """
        rest: list[tuple[str, bytes, frozenset[bytes]]] = []
        names: dict[bytes, set[bytes]] = {}
        """What changed, by the last word of its module's name."""
        for path in self.changed:
            new, old = read_bytes(path) or b"", self.read(path) or b""
            names.setdefault(_module_word(path), set()).update(_changed_names(old, new))
        for path in paths:
            if os.path.realpath(path) in self.changed:
                yield path
            else:
                data = read_bytes(path) or b""
                rest.append((path, data, _imported_words(data)))
        for _ in range(_FARTHEST):
            found: dict[bytes, set[bytes]] = {}
            still: list[tuple[str, bytes, frozenset[bytes]]] = []
            for path, data, imported in rest:
                used = set().union(*(names[word] for word in names.keys() & imported))
                hits = _lines_with(data, used) if used else []
                if not hits:
                    still.append((path, data, imported))
                    continue
                yield path
                found.setdefault(_module_word(path), set()).update(_names_around(data.splitlines(), hits, used))
            rest = still
            if not found:
                return
            for word, more in found.items():
                names.setdefault(word, set()).update(more)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes as the revision has them, under an older name too; unchanged ones from the disk."""
        real = os.path.realpath(path)
        if real not in self.changed:
            return read_bytes(path)
        name = os.path.relpath(real, self.root).replace(os.sep, "/")
        try:
            return self._git("cat-file", "blob", f"{self.commit}:{self._renamed.get(name, name)}")
        except SinceError:
            return None  # the file is new


_FARTHEST = 4
_DEFINITION = re.compile(rb"([ \t]*)(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_KEYWORDS = frozenset(word.encode() for word in (*keyword.kwlist, "self", "cls", "typing", "annotations"))
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t][^\r\n(]*(?:\([^)]*\)|[^\r\n]*)", re.MULTILINE)


def _imported_words(data: bytes) -> frozenset[bytes]:
    return frozenset(word for match in _IMPORT.finditer(data) for word in re.findall(rb"\w+", match.group()))


def _lines_with(data: bytes, words: Iterable[bytes]) -> list[int]:
    """Return the 0-based lines in which one of some words stands."""
    pattern = re.compile(rb"(?<!\w)(?:" + b"|".join(sorted(words)) + rb")(?!\w)")
    if not pattern.search(data):
        return []
    return [number for number, line in enumerate(data.splitlines()) if pattern.search(line)]


def _changed_names(old: bytes, new: bytes) -> set[bytes]:
    """Return the names of the definitions in which two texts of a module differ."""
    names: set[bytes] = set()
    for here, there in ((old, new), (new, old)):
        lines, known = here.splitlines(), Counter(there.splitlines())
        different = []
        for number, line in enumerate(lines):
            if known[line] > 0:
                known[line] -= 1
            elif line.strip():
                different.append(number)
        # What is only imported now is nothing that another module can have used.
        gone = () if here is new else _imported_words(old) - _imported_words(new)
        names |= _names_around(lines, different, gone)
    return names


def _names_around(lines: list[bytes], numbers: Iterable[int], imported: Container[bytes] | None = None) -> set[bytes]:
    """Return the names of the definitions around some lines, and what lines outside of any bind.

    Of the names that lines import only those count that are among `imported`, if that is given.
    """
    names: set[bytes] = set()
    for number in numbers:
        line = lines[number]
        depth = len(line) - len(line.lstrip())
        if line.lstrip().startswith(b"@"):  # it belongs to the definition below
            below = (match for other in lines[number + 1 :] if (match := _DEFINITION.match(other)))
            names.update(match[2] for match in itertools.islice(below, 1))
        if match := _DEFINITION.match(line):
            names.add(match[2])
        elif not depth:
            if line.startswith(b"from "):
                found = re.findall(rb"\w+", line.partition(b" import ")[2])
                names.update(found if imported is None else [word for word in found if word in imported])
            elif bound := re.match(rb"[A-Za-z_]\w*", line):
                names.add(bound[0])
            continue
        for above in reversed(lines[:number]):
            if not depth:
                break
            if above.strip() and len(above) - len(above.lstrip()) < depth:
                depth = len(above) - len(above.lstrip())
                if match := _DEFINITION.match(above):
                    names.add(match[2])
    return {name for name in names if name not in _KEYWORDS and not name.startswith(b"__")}


def _module_word(path: str) -> bytes:
    """Return the last word of the name by which a file is imported."""
    stem = os.path.basename(path).rpartition(".")[0]
    return (os.path.basename(os.path.dirname(path)) if stem == "__init__" else stem).encode()
