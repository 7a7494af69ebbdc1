"""Where to look: which definitions of a file could matter, told by words, imports and the stdlib's `ast`.

Over-inclusive by construction: it answers "perhaps" or "never", and a definition that it calls "never" holds no
use of what the library rows speak of. What is wanted is derived from the rows, not written per rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from pitfall_lint.libraries import Libraries, Row
from pitfall_lint.libraries.sessions import Lazy, StreamBody
from pitfall_lint.semantic.alone import Alone
from pitfall_lint.semantic.decorated import Decorated, is_decorated
from pitfall_lint.semantic.excerpts import Excerpts
from pitfall_lint.semantic.handed import Owners
from pitfall_lint.semantic.ingredients import Ingredients
from pitfall_lint.semantic.later import closings, lets_out_closed, may_be_later, may_let_out
from pitfall_lint.semantic.localnames import LocalNames
from pitfall_lint.semantic.prospects import Prospects
from pitfall_lint.semantic.reading import Reading, Use
from pitfall_lint.semantic.receivers import Receivers
from pitfall_lint.semantic.sightings import Sightings
from pitfall_lint.semantic.spans import Binding, Place, Spans, imports
from pitfall_lint.semantic.texts import class_at, slashed_variables
from pitfall_lint.semantic.verdict import Verdict, is_given
from pitfall_lint.semantic.wants import (
    Want,
    Wants,
    blocks,
    giving,
    may_be_own,
    passed_on,
    telling_names,
)
from pitfall_lint.semantic.words import Places
from pitfall_lint.source import Source


class Suspicion:
    """The question of one file: which of its lines matter to which rules."""

    def __init__(
        self,
        source: Source,
        wanted: Wants,
        libraries: Libraries,
        named: frozenset[str] = frozenset(),
        reaches: Callable[[str, frozenset[str]], bool] = lambda full, roots: True,
        is_own: Callable[[str], bool] = lambda full: True,
        may_await: Callable[[str, frozenset[str]], bool] = lambda full, classes: True,
        coroutines: Owners = MappingProxyType({}),
        local: LocalNames | None = None,
        receivers: Receivers | None = None,
        bound: Mapping[str, list[Binding]] | None = None,
    ) -> None:
        """`bound` is what imports anywhere in the file bind, where it is known."""
        self._bound_by_imports = bound
        local = local or LocalNames()
        self._ingredients = Ingredients(source.data, libraries, local)
        self.is_own = is_own
        """Tells whether an import may lead to the project."""
        self.may_await = may_await
        """Tells whether an imported name may be a coroutine function, or a method of one of some classes."""
        self.coroutines = coroutines
        """What coroutine functions of the project go by here, where somebody asks for them."""
        self.source = source
        self.libraries = libraries
        self.wanted = dict(wanted)
        self.spans = Spans(source)
        self.receivers = receivers or Receivers(
            source.data, named, lambda name: self.imports.get(name, ()), reaches, giving(libraries)
        )
        self._held: dict[tuple[ast.expr, frozenset[str]], bool] = {}
        self._plain: set[str] = set()
        """The words being looked for that matter in strings, too."""
        self._places = Places(source.data)
        self._alone = Alone(source.data, self.spans, self._places)
        self._excerpts = Excerpts(source)
        self._decorated = Decorated(source.data, libraries, self.imports, self._alone, self.receivers, is_own)
        self._prospects = Prospects(source.data, libraries, local, self._decorated.is_cut_off)
        self._sightings = Sightings(
            *(source.data, self.wanted, libraries, self.imports, self.spans, self._places, self._alone),
            *(self.receivers, is_own, may_await, coroutines),
        )
        self.lines: dict[int, set[str]] = {}
        self._told: dict[tuple[str, str], int] = {}
        """By name and rule: by how many hops, at least, it leads to what the rule's row speaks of."""
        self.inherited: dict[int, set[str]] = {}
        self.passed_on: dict[str, tuple[Want, ...]] = {}
        """Names of this file's definitions that matter, with what wants them where they are used."""

    def run(self) -> dict[int, set[str]]:
        """Return 0-based lines of the definitions that matter, with the rules to which they matter."""
        self._follow(list(self.wanted))
        return self.lines

    def look_at(self, offsets: Iterable[int], rules: Collection[str]) -> None:
        """Look at the definitions around some offsets, without reading them first."""
        for line in map(self._line_of, offsets):
            self.lines.setdefault(line, set()).update(rules)

    def look_behind(self, rules: Collection[str]) -> None:
        """Look at the definitions that may return what reads from something that is closed by then."""
        seen: set[Place] = set()
        for offset in closings(self.source.data):
            place = self.spans.at(offset) or self._excerpts.outlined(offset)
            if place in seen:
                continue
            seen.add(place)
            if place.start >= 0 and not may_let_out(self.source.data[place.start : place.end]):
                continue
            pieces = self._excerpts.of(place)
            if pieces is None:
                self.look_at([offset], rules)
                continue
            if any(self._returns_later(r) and r.tree is not None and lets_out_closed(r.tree) for r in pieces):
                self.look_at([offset], rules)

    def more(self, wanted: Wants) -> dict[int, set[str]]:
        """Look for further words, too: those that other modules pass on."""
        for word, these in wanted.items():
            self.wanted[word] = (*self.wanted.get(word, ()), *these)
            self.receivers.named |= {n for want in these for n in want.roots if n.encode() in self.source.data}
        self._follow(list(wanted))
        return self.lines

    def _follow(self, pending: list[str]) -> None:
        lines = self.lines
        for _ in range(_HOPS):
            hits: dict[Place, list[tuple[int, str]]] = {}
            for offset, word in sorted(self._sightings.of(pending)):
                # Decorators and statements of a class are outlined: its whole text is read below.
                place = self.spans.at(offset) or self._excerpts.outlined(offset)
                hits.setdefault(place, []).append((offset, word))
            for place, these in hits.items():
                hits[place] = self._prospects.of(place, these, self.wanted.__getitem__)
            found = {word for these in hits.values() for _, word in these}
            self._plain = {word for word in found if any(not want.name for want in self.wanted[word])}
            pending = []
            for place, (offset, words) in self._excerpts.parsing(hits).items():
                verdict = self._read(place, words)
                if verdict.rules:
                    lines.setdefault(self._line_of(offset), set()).update(verdict.rules)
                if verdict.touched:
                    class_ = class_at(self.source.data, place.start) if place.indent else ""
                    made = verdict.keeps or not verdict.names  # special methods run when an object is made or used
                    names = verdict.names | ({class_} if class_ and made else set())
                    pending += self._pass_on(names, verdict, class_, place)
            if not pending:
                break
        for line, rules in self.inherited.items():
            lines.setdefault(line, set()).update(rules)

    def _pass_on(self, names: Iterable[str], verdict: Verdict, class_: str, place: Place) -> Iterator[str]:
        """Want the names of what matters, too: whoever uses them may matter to the same rules."""
        touched = verdict.touched
        if not place.is_function:  # what a variable was given cannot block
            touched = {code: shape for code, shape in touched.items() if "indirect" not in shape}
        elif self._decorated.is_cut_off(place):
            touched = {code: shape for code, shape in touched.items() if not blocks(shape)}
        owners = frozenset({class_} if class_ else ())
        readings = self._excerpts.read_so_far(place)
        only_function = place.is_function and not any(reading.has_class for reading in readings)
        if only_function and not is_decorated(self.source.data, place):
            only_function = not any(reading.gives_calls_of(self.wanted) for reading in readings)
        for name in names:
            roots = owners - {name}
            # Making an object gives nobody what its methods return.
            fit = {code for code, shape in touched.items() if name != class_ or "returns" not in shape}
            if name != class_ and only_function:
                fit = {code for code in fit if "owned" not in touched[code]}
            hops = {code: verdict.hops[code] + place.is_function if "chain" in touched[code] else 0 for code in fit}
            new = {code for code in fit if hops[code] < self._told.get((name, code), _FARTHEST)}
            if not new:
                continue
            self._told.update(((name, code), hops[code]) for code in new)
            by_shape: dict[tuple[frozenset[str], int], set[str]] = {}
            for code in new:
                by_shape.setdefault((passed_on(touched[code]), hops[code]), set()).add(code)
            wants = tuple(
                Want(name, name, bool(roots), Row, roots, frozenset(codes), shape, hops=far)
                for (shape, far), codes in by_shape.items()
            )
            self.receivers.named |= owners
            self.passed_on[name] = (*self.passed_on.get(name, ()), *wants)
            self.wanted[name] = (*self.wanted.get(name, ()), *wants)
            yield name

    @property
    def lines_read(self) -> int:
        """How many lines were parsed."""
        return self._excerpts.lines_read

    @cached_property
    def slashed(self) -> frozenset[str]:
        """The module's absolute paths and addresses, by name."""
        return slashed_variables(self.source.data)

    @cached_property
    def imports(self) -> Mapping[str, list[Binding]]:
        """What imports anywhere in the file bind."""
        return self._bound_by_imports if self._bound_by_imports is not None else imports(self.source.data)

    def _line_of(self, offset: int) -> int:
        data = self.source.data
        if len(self.lines) > 100 or b"\r" in data:
            return self._excerpts.outline.line_of(offset)
        return data.count(b"\n", 0, offset)

    def _read(self, place: Place, words: set[str]) -> Verdict:
        """Return to which rules a place matters by some words, and the names that it defines."""
        pieces = self._excerpts.of(place)
        if pieces is None:
            name = _DEFINED.match(self.source.data, max(place.start, 0))
            verdict = Verdict({name[1].decode("utf-8", "replace")} if name else set())
            for word in words:
                for want in self.wanted[word]:
                    verdict.add(want, want.shape)
            return verdict
        verdict = Verdict()
        for reading in pieces:
            own = Verdict()
            self._weigh(reading, words, own)
            verdict.include(own)
        return verdict

    def _weigh(self, reading: Reading, words: set[str], verdict: Verdict) -> None:
        """Add what the code of a piece matters to, as far as some words go."""
        plain = words & self._plain if self._plain else set()
        if plain:
            for word, looks in reading.words:
                if word in plain:
                    self._hear(word, looks, verdict)
            for text, looks in reading.texts:
                for word in plain:
                    if word in text:
                        self._hear(word, looks, verdict)
            if verdict.touched:
                verdict.names |= reading.stored
        for word in reading.among(words):
            for use in reading.uses(word, self.coroutines, self.slashed):
                heir = reading.heirs.get(use.node)
                if heir is None:
                    self._judge(use, reading, verdict)
                    continue
                own = Verdict()
                self._judge(use, reading, own)
                self._inherit(heir, own.rules)
                verdict.include(own)

    def _hear(self, word: str, looks: frozenset[str], verdict: Verdict) -> None:
        for want in self.wanted[word]:
            if not want.name:
                verdict.add(want, looks)

    def _inherit(self, heir: str, rules: set[str]) -> None:
        """A class inherits from what matters: its methods may matter by their names alone."""
        for block in self._excerpts.outline.blocks:
            if not block.is_class and block.parent is not None and block.parent.name == heir:
                self.inherited.setdefault(block.header, set()).update(rules)

    def _judge(self, use: Use, reading: Reading, verdict: Verdict) -> None:
        parts: list[str] = []
        current: ast.expr = use.node
        while isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        root = current.id if isinstance(current, ast.Name) else ""
        word = parts[0] if parts else root
        wanted = [want for want in self.wanted[word] if want.touches(use.looks) and is_given(want, use)]
        if not wanted:
            return
        looks = use.looks
        if any("through" in want.shape for want in wanted):
            looks |= reading.outflow.how.get(use.node, frozenset())
        asked = frozenset[str]().union(*(want.shape for want in wanted))
        looks = looks.union(self._ingredients.of(reading, use, asked))
        bound: list[Binding] = []
        if root:
            parts.append(root)
            bound = [Binding(full, True) for full in reading.inner.get(root, ())]
            bound += self.imports.get(root, ()) if not bound else ()
        parts.reverse()
        if not bound or root in reading.local or not any(b.surely for b in bound):
            # The result of a call, a parameter, an attribute: a receiver whose type has to be looked for.
            for want in wanted:
                if isinstance(use.node, ast.Attribute):
                    fits = want.of_type or not want.name
                    if fits and (not want.roots or self._may_hold(use.node.value, reading, want.roots)):
                        verdict.add(want, looks)
                elif not want.of_type or (want.kind is Row and ("outside" in looks or self._alone.is_taken(word))):
                    if not want.name or self._may_stand_for(word, want, reading):
                        verdict.add(want, looks)
        for binding in bound:
            name = self.libraries.canonical(".".join([binding.full, *parts[1:]]))
            for want in wanted:
                if want.kind is Row and want.of_type and not self._is_asked_for(use.node, reading, want):
                    continue
                if self._sightings.could_be(want, name, binding.full, len(parts) > 1):
                    verdict.add(want, looks)
        if verdict.touched:
            verdict.names |= reading.defined | reading.outflow.given.get(use.node, frozenset())

    def _is_asked_for(self, node: ast.expr, reading: Reading, want: Want) -> bool:
        """Tell whether a method or attribute is asked of what may have it."""
        return isinstance(node, ast.Attribute) and self._may_hold(node.value, reading, want.roots)

    def _returns_later(self, reading: Reading) -> bool:
        """Tell whether a definition closes something and returns what may be read after that."""
        lazy = self.libraries.leaves(Lazy) | self.libraries.leaves(StreamBody)
        return reading.closes and may_be_later(reading, lazy, self._is_own, self.receivers.lineage.is_method)

    def _is_own(self, name: str) -> bool | None:
        return may_be_own(self.imports.get(name), self.libraries)

    def _may_stand_for(self, word: str, want: Want, reading: Reading) -> bool:
        """Tell whether a plain name without an import could be what is wanted."""
        if want.kind is Row or "." not in want.name or want.name.startswith("builtins."):
            return True
        if word in reading.params:
            return False
        if word in reading.values:
            return True
        return "*" in self.imports or re.search(rb"^%s\b[^=\n(]*=" % word.encode(), self.source.data, re.M) is not None

    def _may_hold(self, node: ast.expr, reading: Reading, roots: frozenset[str]) -> bool:
        if getattr(node, "attr", getattr(node, "id", "")) in telling_names(self.libraries):
            return True
        key = (node, roots)
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = self.receivers.may_hold(node, reading, roots)
        return found


_HOPS = 3
_FARTHEST = 1000
_DEFINED = re.compile(rb"[ \t\f]*(?:async[ \t]+)?def[ \t]+(\w+)")
