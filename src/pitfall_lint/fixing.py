"""From findings to a mended file: fixes that don't get in each other's way, spliced in bytes until stable."""

from __future__ import annotations

import contextlib
import os
import stat
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pitfall_lint.finding import Applicability, Edit, Finding, Fix
from pitfall_lint.source import Source, SourceError

LIMIT = 100
"""Rounds after which fixes that keep undoing each other are stopped."""
_DEEPEST = 200
"""Brackets inside each other; CPython reads no more, and LibCST's parser would crash far beyond."""


class FixError(ValueError):
    """A fix cannot be applied; the message says why."""


@dataclass(frozen=True)
class Fixed:
    """What became of one file."""

    source: Source
    applied: tuple[Finding, ...] = ()
    """The findings that were mended, in order; positions are those of the round they were found in."""
    remaining: tuple[Finding, ...] = ()
    """The findings in the mended file."""
    notes: tuple[str, ...] = ()
    """Fixes that were dropped and why."""

    @property
    def changed(self) -> bool:
        """Whether anything was mended."""
        return bool(self.applied)


@dataclass
class _Round:
    """The fixes taken in one pass over the file."""

    taken: list[tuple[Finding, Fix]] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)

    def has_room_for(self, fix: Fix) -> bool:
        """Tell whether the fix neither overlaps nor repeats what is already taken."""
        statements = {edit.text.strip() for edit in self.edits if _adds_statement(edit)}
        return not any(edit.span.overlaps(other.span) for edit in fix.edits for other in self.edits) and not any(
            _adds_statement(edit) and edit.text.strip() in statements for edit in fix.edits
        )


def _adds_statement(edit: Edit) -> bool:
    """Tell whether the edit adds an import or a definition: two fixes that want the same one need it once."""
    text = edit.text.lstrip()
    return edit.span.start == edit.span.end and text.startswith(
        ("import ", "from ", "def ", "async def ", "class ", "@")
    )


def fix_source(
    source: Source,
    lint: Callable[[Source], Sequence[Finding]],
    *,
    unsafe: bool = False,
    wanted: Callable[[Finding], bool] = lambda finding: True,
) -> Fixed:
    """Apply the first fix of every wanted finding until none is left.

    `lint` is asked again after every round; it must not report what is suppressed. `unsafe` takes unsafe
    fixes too. Fixes whose result is no Python are dropped with a note.
    """
    applied: list[Finding] = []
    notes: list[str] = []
    refused: set[tuple[str, str]] = set()
    findings = tuple(lint(source))
    for _ in range(LIMIT):
        fixes = [
            (finding, finding.fix)
            for finding in findings
            if finding.fix is not None
            and _allowed(finding.fix, unsafe)
            and wanted(finding)
            and (finding.code, finding.message) not in refused
        ]
        if not fixes:
            break
        mended, done, failed = _one_round(source, fixes)
        for finding, reason in failed:
            refused.add((finding.code, finding.message))
            line = source.position(finding.span.start)[0]
            notes.append(f"{source.path}:{line}: the fix of {finding.code} was left out: {reason}")
        if done:
            applied += done
            source, findings = mended, tuple(lint(mended))
    else:
        codes = ", ".join(sorted({finding.code for finding in findings if finding.fix}))
        notes.append(f"{source.path}: fixes still asked for more after {LIMIT} rounds ({codes}); please report this")
    return Fixed(source, tuple(applied), findings, tuple(dict.fromkeys(notes)))


def _allowed(fix: Fix, unsafe: bool) -> bool:
    return fix.applicability is Applicability.SAFE or (unsafe and fix.applicability is Applicability.UNSAFE)


def _one_round(
    source: Source, fixes: Iterable[tuple[Finding, Fix]]
) -> tuple[Source, list[Finding], list[tuple[Finding, str]]]:
    chosen = _Round()
    failed: list[tuple[Finding, str]] = []
    for finding, fix in sorted(fixes, key=lambda pair: (min(e.span for e in pair[1].edits), pair[0].code)):
        try:
            splice(source, fix.edits)
        except FixError as error:
            failed.append((finding, str(error)))
            continue
        if chosen.has_room_for(fix):
            chosen.taken.append((finding, fix))
            chosen.edits.extend(fix.edits)
    if not chosen.taken:
        return source, [], failed
    mended = splice(source, chosen.edits)
    if why_broken(source, mended) is None:
        return mended, [finding for finding, _ in chosen.taken], failed
    return _one_by_one(source, chosen.taken, failed)


def _one_by_one(
    source: Source, taken: Sequence[tuple[Finding, Fix]], failed: list[tuple[Finding, str]]
) -> tuple[Source, list[Finding], list[tuple[Finding, str]]]:
    """Find out which fixes break the file, and apply the others."""
    good: list[tuple[Finding, Fix]] = []
    result = source
    for finding, fix in taken:
        mended = splice(source, [edit for _, each in (*good, (finding, fix)) for edit in each.edits])
        if (reason := why_broken(source, mended)) is not None:
            failed.append((finding, f"the result does not parse ({reason})"))
            continue
        good.append((finding, fix))
        result = mended
    return result, [finding for finding, _ in good], failed


def splice(source: Source, edits: Iterable[Edit]) -> Source:
    """Return the source with the edits made; every other byte stays as it is.

    Raises FixError for edits that overlap, lie outside the file or can't be written in its encoding.
    """
    pieces: list[bytes] = []
    position = 0
    encoding = "utf-8" if source.encoding in ("utf-8", "utf-8-sig") else source.encoding
    for edit in sorted(edits, key=lambda edit: edit.span):
        if edit.span.start < position or edit.span.end > len(source.data) or edit.span.end < edit.span.start:
            raise FixError("its edits overlap or lie outside the file")
        pieces.append(source.data[position : edit.span.start])
        try:
            pieces.append(edit.text.encode(encoding))
        except UnicodeEncodeError as error:
            raise FixError(f"{edit.text[error.start : error.end]!r} can't be written in {encoding}") from None
        position = edit.span.end
    pieces.append(source.data[position:])
    return Source(source.path, b"".join(pieces))


def why_broken(before: Source, after: Source) -> str | None:
    """Return why the mended source is no Python any more, or None when it is fine.

    Both are compiled, nothing is run. What this interpreter can't read even before the fix (newer syntax)
    is left to LibCST.
    """
    problem = _compile_error(after)
    if problem is None or _compile_error(before) is None:
        return problem
    return _libcst_error(after)


def _compile_error(source: Source) -> str | None:
    try:
        text = source.decoded()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, source.path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except (SourceError, ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return None


def _libcst_error(source: Source) -> str | None:
    import libcst  # loaded late: most runs mend nothing that this interpreter can't compile

    if _depth(source.data) > _DEEPEST:
        return "too many nested brackets"
    try:
        libcst.parse_module(source.data)
    except libcst.ParserSyntaxError as error:
        return f"{error.message}, line {error.raw_line}"
    except Exception as error:  # the parser has no one exception for what it can't decode
        return str(error)
    return None


def _depth(data: bytes) -> int:
    """Return an upper bound of how deep brackets stand inside each other."""
    deepest = depth = 0
    for byte in data:
        if byte in b"([{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b")]}" and depth:
            depth -= 1
    return deepest


def diff(before: Source, after: Source) -> str:
    """Return a unified diff that `patch` and `git apply` can read; empty when nothing changed."""
    if before.data == after.data:
        return ""
    old, new = (source.data.decode(source.encoding, "replace").split("\n") for source in (before, after))
    lines = []
    import difflib

    for line in difflib.unified_diff(_ended(old), _ended(new), before.path, after.path):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _ended(lines: list[str]) -> list[str]:
    """Return the lines with their newline; the last one had none."""
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content so that at any moment either the old or the new one is there, whole.

    Follows symlinks to the real file and keeps its mode. Raises OSError, leaving the file as it was.
    """
    real = Path(os.path.realpath(path))
    import secrets

    temporary = real.with_name(f".{real.name[:80]}.{secrets.token_hex(6)}.tmp")
    try:
        status = os.stat(real)
    except FileNotFoundError:
        status = None
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if status is not None:
            with contextlib.suppress(OSError, AttributeError):  # only root can keep another's file another's
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.chown(temporary, status.st_uid, status.st_gid)
            os.chmod(temporary, stat.S_IMODE(status.st_mode))
        os.replace(temporary, real)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(real.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
