"""Where wanted words stand in a file and may be what is wanted, told by the bytes around them and what they follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pitfall_lint.libraries import Libraries, Row
from pitfall_lint.semantic.alone import Alone, in_import
from pitfall_lint.semantic.handed import Handed, Owners
from pitfall_lint.semantic.looking import Look
from pitfall_lint.semantic.receivers import Receivers, leaves_of
from pitfall_lint.semantic.spans import Binding, Spans
from pitfall_lint.semantic.texts import owner_at
from pitfall_lint.semantic.wants import Want, has_row, known_roots, telling_names
from pitfall_lint.semantic.words import Places, receiver_at


class Sightings:
    """The question of one file, for what is wanted by then."""

    def __init__(
        self,
        data: bytes,
        wanted: dict[str, tuple[Want, ...]],
        libraries: Libraries,
        imports: Mapping[str, list[Binding]],
        spans: Spans,
        places: Places,
        alone: Alone,
        receivers: Receivers,
        is_own: Callable[[str], bool],
        may_await: Callable[[str, frozenset[str]], bool],
        coroutines: Owners,
    ) -> None:
        self._data = data
        self._wanted = wanted
        self._libraries = libraries
        self._imports = imports
        self._spans = spans
        self._places = places
        self._alone = alone
        self._receivers = receivers
        self._is_own = is_own
        self._may_await = may_await
        self._from_imports: dict[tuple[tuple[str, ...], int], bool | None] = {}
        self._handed = Handed(data, coroutines, self._imports, alone, self._may_be_coroutine, self._may_be)

    def of(self, words: Iterable[str]) -> Iterator[tuple[int, str]]:
        """Yield the offsets of words that are more than a definition's name, an import or a part of a longer word."""
        data = self._data
        pending = list(words)
        while pending:
            word = pending.pop()
            look = Look(
                self._wanted[word], word, self._imports.__contains__, self._alone.is_bound, self._alone.may_be_method
            )
            handed = all("async-argument" in want.shape for want in self._wanted[word])
            for start, end in self._places.of(word):
                if data.startswith(b" as ", end) and (new := _RENAMED.match(data, end)):
                    name = new[1].decode("utf-8", "replace")
                    if name not in self._wanted:
                        self._wanted[name] = self._wanted[word]
                        pending.append(name)
                if not look.may_matter(data, start, end) or in_import(data, start):
                    continue
                is_attribute = data[start - 1 : start] == b"."
                names = receiver_at(data, start - 1) if is_attribute else ()
                if handed and not self._handed.may_be_coroutine(end):
                    continue
                if (is_attribute and not names) or self._is_in_question(word, start, names):
                    yield start, word

    def _is_in_question(self, word: str, start: int, receiver: tuple[str, ...]) -> bool:
        known = self._is_imported(word, receiver)
        return known if known is not None else not receiver or self._may_be_of_type(word, start, receiver)

    def _is_imported(self, word: str, receiver: tuple[str, ...]) -> bool | None:
        """Tell whether what imports surely bind a dotted name to could be wanted; None when they do not surely bind it.

        What else may give the name a value is read.
        """
        names = (*receiver, word)
        key = names, len(self._wanted[word])
        if key not in self._from_imports:
            bound = self._imports.get(names[0], ())
            answer: bool | None = None
            if bound and all(binding.surely for binding in bound) and not self._alone.is_given(names[0]):
                fulls = {binding.full: ".".join([binding.full, *names[1:]]) for binding in bound}
                answer = any(
                    self.could_be(want, self._libraries.canonical(whole), full, bool(receiver))
                    for want in self._wanted[word]
                    for full, whole in fulls.items()
                )
            self._from_imports[key] = answer
        return self._from_imports[key]

    def _may_be_of_type(self, word: str, start: int, names: tuple[str, ...]) -> bool:
        """Tell whether the receiver of a name behind a dot may be what one of its wants speaks of."""
        if names[0] in self._imports or names[-1] in telling_names(self._libraries):
            return True
        return any(
            not want.roots or self._may_be(names, start, want.roots)
            for want in self._wanted[word]
            if want.of_type or not want.name
        )

    def _may_be_coroutine(self, full: str, classes: frozenset[str]) -> bool:
        return self._is_own(full) and self._may_await(full, classes)

    def _may_be(self, names: tuple[str, ...], start: int, roots: frozenset[str]) -> bool:
        """Tell whether what goes by a dotted name at an offset may be an object of what some things give."""
        owner = ""
        if names in _SELVES and (place := self._spans.at(start)) is not None and place.indent:
            owner = owner_at(self._data, place.start)
        return self._receivers.may_be(names, owner, roots)

    def could_be(self, want: Want, name: str, full: str, has_receiver: bool) -> bool:
        """Tell whether an imported thing could be what is wanted: it is, or it is the project's, or an object."""
        if want.kind is Row:
            return self._is_own(full) and ("coroutine-call" not in want.shape or self._may_await(name, want.roots))
        if want.name and (name == self._libraries.canonical(want.name) or has_row(self._libraries, want.kind, name)):
            return True
        if full.partition(".")[0] not in known_roots(self._libraries):
            if not self._is_own(full):
                return not want.name and not want.roots
            return not want.roots or self._receivers.reaches(full, want.roots)
        if not want.name:
            return has_receiver and (
                not want.roots or not leaves_of(want.roots).isdisjoint([*full.split("."), *name.split(".")])
            )
        return (
            want.of_type
            and has_receiver
            and not leaves_of(want.roots).isdisjoint([*full.split("."), *name.split(".")[:-1]])
        )


_SELVES = {("self",), ("cls",)}
_RENAMED = re.compile(rb" as[ \t]+(\w+)")
