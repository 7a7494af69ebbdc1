"""Whether files that changed still say what they said: then what a run printed still holds, as nothing was found there.

Only comments and layout may be different. This is read before everything else, like `cache`.
"""

from __future__ import annotations

import os
import zlib

from pitfall_lint.cache import Store, blake2b
from pitfall_lint.pile import Pile

TYPE_CHECKING = False  # as in cache
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MOST = 20
"""Files beyond which a run is no dearer than to look at each of them."""
_ONLY_AST = 0x400
_KEY, _ENTRY = 8, 20
"""Bytes of a path's hash, and of one entry: the file, the place and the size of its old text follow."""


def keep(name: str, places: Mapping[str, tuple[str, int, int]]) -> None:
    """Keep where the pieces are of files, by absolute path, in which nothing was found and to which nothing points.

    A piece of a pile begins with the file's text, packed.
    """
    files = sorted({file for file, _, _ in places.values()})
    numbers = {file: number for number, file in enumerate(files)}
    table = b"".join(
        _key(path) + numbers[file].to_bytes(4, "big") + start.to_bytes(4, "big") + size.to_bytes(4, "big")
        for path, (file, start, size) in places.items()
    )
    Store().write(name, (tuple(files), table))


def judge(name: str) -> Callable[[str], bool]:
    """Return what tells of a path whether its text still says the same."""
    known: list[object] = []
    asked: set[str] = set()

    def is_same(path: str) -> bool:
        asked.add(path)
        if len(asked) > _MOST or not path.endswith(".py"):
            return False
        if not known:
            found = Store().read(name)
            known.extend(found if isinstance(found, tuple) and len(found) == 2 else ((), b""))
        files: tuple[str, ...]
        table: bytes
        files, table = known  # type: ignore[assignment]
        at = table.find(_key(path))
        while at % _ENTRY and at >= 0:
            at = table.find(_key(path), at + 1)
        if at < 0:
            return False
        number, start, size = (int.from_bytes(table[at + _KEY + n : at + _KEY + n + 4], "big") for n in (0, 4, 8))
        piece = Pile("", {path: (files[number], start, size)}).read(path)
        if piece is None or piece[0] is None or not os.path.isfile(path):
            return False
        try:
            with open(path, "rb") as stream:
                return is_same_code(zlib.decompress(piece[0]), stream.read())
        except OSError:
            return False

    return is_same


def is_same_code(one: bytes, other: bytes) -> bool:
    """Tell whether two texts differ in comments and layout alone, and no comment is one that somebody obeys."""
    if any(word in text for text in (one.lower(), other.lower()) for word in (b"noqa", b"type:", b"coding")):
        if _lines(one) != _lines(other):
            return False
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _is_same(*(compile(text, "", "exec", _ONLY_AST, dont_inherit=True) for text in (one, other)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False


def _is_same(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        assert isinstance(other, list)
        return len(one) == len(other) and all(map(_is_same, one, other))
    fields: Iterable[str] | None = getattr(one, "_fields", None)
    if fields is None:
        return one == other and repr(one) == repr(other)
    return all(_is_same(getattr(one, name, None), getattr(other, name, None)) for name in fields)


def _lines(data: bytes) -> list[bytes]:
    """Return the lines but for empty ones and comments that nobody obeys."""
    lines = (line.strip() for line in data.splitlines())
    return [line for line in lines if line and (line[:1] != b"#" or b":" in line or b"noqa" in line.lower())]


def _key(path: str) -> bytes:
    return blake2b(path.encode("utf-8", "surrogateescape"), digest_size=_KEY).digest()
