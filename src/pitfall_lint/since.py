"""What has changed since a git revision: which files can have new findings, and what they said before.

A finding counts as new when the revision's text does not have it, so a caller that became wrong because its
callee changed is reported although its own lines did not change.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cached_property

from pitfall_lint.semantic.project import read_bytes

_SECONDS = 60


class SinceError(ValueError):
    """The revision cannot be compared with; the message says why and what to do."""


class Since:
    """The difference between the working tree and a revision. Raises SinceError."""

    def __init__(self, revision: str, folder: str = ".") -> None:
        self.folder = folder
        self.root = os.path.realpath(self._git("rev-parse", "--show-toplevel").decode().rstrip("\n"))
        try:
            commit = self._git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
            )
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
        different = self._git("diff", "--name-only", "-z", "--no-renames", self.commit, "--", "*.py")
        untracked = self._git(
            "ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", ":(top)*.py"
        )
        names = {
            name for name in (different + untracked).decode("utf-8", "surrogateescape").split("\0") if name
        }
        return frozenset(os.path.join(self.root, name) for name in names)

    def candidates(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield those of some files that changed, or that import a module that changed (at any remove)."""
        rest: list[tuple[str, frozenset[bytes]]] = []
        words = set()
        for path in paths:
            if os.path.realpath(path) in self.changed:
                yield path
            else:
                rest.append((path, _imported_words(path)))
        for path in self.changed:
            words.add(_module_word(path))
        grown = True
        while grown:  # what imports a changed module can pass the change on
            grown = False
            still: list[tuple[str, frozenset[bytes]]] = []
            for path, imported in rest:
                if words.isdisjoint(imported):
                    still.append((path, imported))
                else:
                    yield path
                    word = _module_word(path)
                    grown = grown or word not in words
                    words.add(word)
            rest = still

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes as the revision has them; unchanged files come from the disk."""
        real = os.path.realpath(path)
        if real not in self.changed:
            return read_bytes(path)
        name = os.path.relpath(real, self.root).replace(os.sep, "/")
        try:
            return self._git("cat-file", "blob", f"{self.commit}:{name}")
        except SinceError:
            return None  # the file is new


_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t][^\r\n(]*(?:\([^)]*\)|[^\r\n]*)", re.MULTILINE)


def _imported_words(path: str) -> frozenset[bytes]:
    data = read_bytes(path) or b""
    return frozenset(word for match in _IMPORT.finditer(data) for word in re.findall(rb"\w+", match.group()))


def _module_word(path: str) -> bytes:
    """Return the last word of the name by which a file is imported."""
    stem = os.path.basename(path).rpartition(".")[0]
    return (os.path.basename(os.path.dirname(path)) if stem == "__init__" else stem).encode()
