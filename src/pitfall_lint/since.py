"""What has changed since a git revision: which files can have new findings, and what they said before.

A finding counts as new when the revision's text does not have it, so a caller that became wrong because its
callee changed is reported although its own lines did not change.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Iterable
from functools import cached_property

from pitfall_lint.semantic.project import read_bytes
from pitfall_lint.spread import Affected, Change, affected

_SECONDS = 60
_PYTHON = ":(top)*.py"


class SinceError(ValueError):
    """The revision cannot be compared with; the message says why and what to do."""


class Since:
    """The difference between the working tree and a revision. Raises SinceError."""

    def __init__(self, revision: str, folder: str = ".") -> None:
        self.folder = folder
        self._renamed: dict[str, str] = {}
        """What tracked files that were moved are called now, and what the revision calls them."""
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
    def changes(self) -> dict[str, Change | None]:
        """What is different, by the real path; None where a file is new, moved, or cannot be compared line by line."""
        options = ("-p", "-U0", "--inter-hunk-context=0", "--no-color", "--no-ext-diff", "--no-textconv", "--text")
        told = self._git("diff", "--raw", "-z", *options, "--find-renames", "--no-relative", self.commit, "--", _PYTHON)
        records, _, patches = told.partition(b"\0\0")
        words = iter(records.split(b"\0"))
        split = re.split(rb"^diff --git .*\n", patches, flags=re.MULTILINE)[1:]
        fits = len(split) == len(re.findall(rb"(?:^|\0):\d", records))  # a file with a merge conflict has none
        hunks = iter(split if fits else ())
        found: dict[str, Change | None] = {}
        for facts in words:
            if not facts:
                continue
            status, name = facts.rpartition(b" ")[2], next(words, b"")
            if status[:1] in b"RC":
                before, name = name, next(words, b"")
                self._renamed[_text(name)] = _text(before)
            patch = next(hunks, b"")
            path = os.path.join(self.root, _text(name))
            if status != b"D":
                found[path] = _change(read_bytes(path), patch) if status == b"M" and patch else None
        untracked = self._git("ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", _PYTHON)
        for name in filter(None, untracked.split(b"\0")):
            found[os.path.join(self.root, _text(name))] = None
        return found

    def affected(self, paths: Iterable[str]) -> Affected:
        """Return what of some files can have new findings."""
        return affected(self.changes, paths)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes as the revision has them, under an older name too; unchanged ones from the disk."""
        real = os.path.realpath(path)
        if real not in self.changes:
            return read_bytes(path)
        name = os.path.relpath(real, self.root).replace(os.sep, "/")
        try:
            return self._git("cat-file", "blob", f"{self.commit}:{self._renamed.get(name, name)}")
        except SinceError:
            return None  # the file is new


def _text(name: bytes) -> str:
    return os.fsdecode(name)


_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@.*\n", re.MULTILINE)


def _change(new: bytes | None, patch: bytes) -> Change | None:
    """Return what a patch without context says; None when it does not fit the text."""
    if new is None:
        return None
    lines = new.split(b"\n")
    old: list[bytes] = []
    added: set[int] = set()
    gone: set[int] = set()
    position = 0
    heads = list(_HUNK.finditer(patch))
    for head, following in itertools.zip_longest(heads, heads[1:]):
        body = patch[head.end() : following.start() if following else len(patch)]
        start, count = int(head[3]), int(head[4] or 1)
        start -= 1 if count else 0  # of what is only gone, the line before is named
        if not position <= start <= len(lines):
            return None
        old += lines[position:start]
        lost = [row[1:] for row in body.split(b"\n") if row.startswith(b"-")]
        gone.update(range(len(old), len(old) + len(lost)))
        old += lost
        added.update(range(start, start + count) if count else (max(start - 1, 0), start))
        position = start + count
    return Change(new, b"\n".join([*old, *lines[position:]]), frozenset(added), frozenset(gone))
