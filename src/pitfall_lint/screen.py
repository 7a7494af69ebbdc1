"""Which files and which of their lines could hold a finding, told by whole words before anything is parsed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pitfall_lint.awake import ASLEEP
from pitfall_lint.awake import Awake as Awake
from pitfall_lint.cache import digest
from pitfall_lint.catalog import Rule
from pitfall_lint.finder import Finder, finder
from pitfall_lint.libraries import Function, Libraries, Row
from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.joints import joints, may_join
from pitfall_lint.semantic.lineage import Kin
from pitfall_lint.semantic.nearby import Nearby
from pitfall_lint.semantic.project import Project
from pitfall_lint.semantic.receivers import is_near, leaves_of
from pitfall_lint.semantic.surroundings import Reach, Surroundings
from pitfall_lint.semantic.suspicion import Suspicion
from pitfall_lint.semantic.wants import Want, Wants, constructed, owners_of, plain_want, telling_names, unbased
from pitfall_lint.semantic.words import words_of
from pitfall_lint.source import Source, SourceError

_FEW = 200
"""Names that are looked for one by one."""
_KEPT = 5_000
"""Lines of files that are kept as they were read, until it is told where they have to be looked at."""


@dataclass(frozen=True, slots=True)
class _Alone:
    """What one file's own words lead to."""

    source: int
    """The hash of its bytes."""
    lines: dict[int, set[str]] = field(default_factory=dict)
    passed_on: dict[str, tuple[Want, ...]] = field(default_factory=dict)
    lines_read: int = 0


@dataclass(eq=False)
class Screen:
    """The words that the rows of some rules ask for, ready to be looked for."""

    rules: tuple[Rule, ...]
    libraries: Libraries
    always: frozenset[str]
    """Rules that ask for no rows: they have to see every file whole."""
    wanted: dict[str, tuple[Want, ...]] = field(repr=False)
    local: frozenset[str]
    """Rules that matter only where an address of this machine is in reach."""
    coroutine_rules: frozenset[str]
    """Rules that matter where a coroutine function is called."""
    joined: frozenset[str] = frozenset()
    """Rules that matter where texts are joined, and a name at the joint may have a slash at its edge."""
    lasting: frozenset[str] = frozenset()
    """Rules that matter where a function may return what reads from something that it has closed."""
    lasting_words: frozenset[str] = frozenset()
    """The words of what can be read from, or is read later."""
    async_arguments: bool = False
    """Whether some rule matters where coroutine functions are given to calls."""
    fast: bool = True
    async_names: dict[str, None] = field(default_factory=dict, init=False)
    through: frozenset[str] = field(default=frozenset(), init=False)
    """Rules for which whoever uses a definition that matters may matter, too."""
    find: Finder = field(init=False, repr=False)
    """Returns the words of interest in a file's bytes."""
    coroutines: dict[str, tuple[Want, ...]] | None = field(default=None, repr=False)
    """The project's coroutine functions, if somebody has looked for all of them."""
    _nearby: Nearby = field(init=False, repr=False)
    _own: dict[str, _Alone] = field(default_factory=dict, repr=False)
    passing: dict[str, dict[str, tuple[Want, ...]]] = field(default_factory=dict, repr=False)
    """The names that modules pass on which nobody looks at otherwise."""
    _foreign: dict[str, tuple[int, dict[str, tuple[Want, ...]]]] = field(default_factory=dict, repr=False)
    """By file: the hash of its bytes, and the names that other modules pass on to it."""
    kept: dict[str, Suspicion] = field(default_factory=dict, repr=False)
    """The files that were read last: what was parsed of them is not parsed again."""
    passed_before: Callable[[str], dict[str, tuple[Want, ...]] | None] = field(default=lambda path: None, repr=False)
    """Answers what a file passed on last time, where that still holds."""
    woken: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict, repr=False)
    """The lines that each rule has to look at, by file, as it was said last."""
    around: Surroundings = field(init=False, repr=False)
    _last: tuple[Source, list[frozenset[str]]] | None = field(default=None, repr=False)
    joined_all: bool = field(default=False, init=False)
    """Whether one of those rules was asked for in so many words: then joints of unknown names matter, too."""

    def __post_init__(self) -> None:
        self.find = self._finder(())
        self.around = Surroundings(self.libraries, self.find)
        self.chosen = frozenset(rule.code for rule in self.rules if rule.chosen)
        self.through = frozenset(rule.code for rule in self.rules if "through" in rule.shape)
        known = (f.name for f in self.libraries.rows(Function) if f.coroutine)
        self._nearby = Nearby(self.libraries, based=any("based" in rule.shape for rule in self.rules))
        self.joined_all = not self.joined.isdisjoint(self.chosen)
        self.async_names = dict.fromkeys(name.rpartition(".")[2] for name in known)

    def learn(
        self, owners: Mapping[str, frozenset[str]], files: Sequence[tuple[str, Kin]], texts: Mapping[str, bytes]
    ) -> None:
        """Take the names of all coroutine functions and classes, so that no file has to look for them itself.

        `texts` are the bytes of files that need not be read again.
        """
        self._foreign.clear()
        names = {class_ for _, kin in files for class_ in kin[0]}
        if self.coroutine_rules or self.async_arguments:
            self.coroutines = {name: self._coroutine(name, classes) for name, classes in owners.items()}
            names.update(owners, *owners.values())
        self.find = self._finder(names)
        self.around = Surroundings(self.libraries, self.find, files, texts)

    def _finder(self, more: Iterable[str]) -> Finder:
        words = {*self.wanted, *self.lasting_words, *more}
        words.update(
            part for these in self.wanted.values() for w in these for root in w.roots for part in root.split(".")
        )
        words |= telling_names(self.libraries)
        words.discard("")
        return finder(words, self.fast)

    def _coroutine(self, name: str, classes: frozenset[str]) -> tuple[Want, ...]:
        """Return what wants a coroutine function's name: as a function, and as a method of these classes."""
        shape = frozenset({"coroutine-call", "called", "not-awaited", "astray"})
        methods = classes - {""}
        wanted = []
        if "" in classes:
            wanted.append(Want(name, name, False, Row, frozenset(), self.coroutine_rules, shape))
        # Who asked for the rule is told of what is a coroutine by its name alone, whatever the object is.
        chosen = self.chosen & self.coroutine_rules
        for rules, roots in ((chosen, frozenset[str]()), (self.coroutine_rules - chosen, methods)):
            if methods and (rules or (roots and not self.coroutine_rules)):  # who is given one may matter all the same
                wanted.append(Want(name, name, True, Row, roots, rules, shape))
        return tuple(wanted)

    def wake(self, source: Source, project: Project | None = None) -> Awake:
        """Return what of a file has to be looked at; nothing, mostly."""
        if self.always:
            return Awake(self.rules, None)
        foreign = self._passed_to(source, project) if project is not None and self.through else {}
        own = self._alone(source, project)
        lines, lines_read = own.lines, own.lines_read
        suspicion = self.kept.pop(os.path.abspath(source.path), None)
        if foreign:
            if suspicion is None:
                words = self.around.words_in(os.path.abspath(source.path), _plain_bytes(source))
                suspicion = self._suspicion(source, {}, set(words), project, {})
            else:
                lines_read = 0  # it counts on
            suspicion.lines = {line: set(codes) for line, codes in lines.items()}
            lines = suspicion.more(foreign)
            lines_read += suspicion.lines_read
        by_rule: dict[str, list[int]] = {}
        for line in sorted(lines):
            for code in lines[line]:
                by_rule.setdefault(code, []).append(line)
        told = {code: tuple(these) for code, these in sorted(by_rule.items())}
        self.woken[os.path.abspath(source.path)] = told
        if not by_rule:
            return ASLEEP
        rules = tuple(rule for rule in self.rules if rule.code in by_rule)
        return Awake(rules, tuple(sorted(lines)), lines_read, told)

    def _alone(self, source: Source, project: Project | None) -> _Alone:
        """Return what matters in a file by its own words, and what it passes on; kept, since importers ask, too."""
        path = os.path.abspath(source.path)
        known = self._own.get(path)
        if known is None or known.source != hash(source.data):
            known = self._own[path] = self._look(source, project)
        return known

    def _look(self, source: Source, project: Project | None) -> _Alone:
        data = _plain_bytes(source)
        found = set(self.around.words_in(os.path.abspath(source.path), data))
        wanted = dict(self._in_reach(found, found, source, project))
        coroutines: dict[str, tuple[Want, ...]] = {}
        if self.coroutine_rules or (wanted and self.async_arguments):
            coroutines, classes = self._coroutines_in(source, data, found, project)
            found |= classes
            for name, these in coroutines.items() if self.coroutine_rules else ():
                wanted[name] = (*wanted.get(name, ()), *these)
        based = any("based" in want.shape for these in wanted.values() for want in these)
        if based and not self._nearby.makes_based_clients(source, data, project):
            wanted = {w: rest for w, these in wanted.items() if (rest := unbased(these))}
        joints = self._joints(source, data, project) if self.joined else ()
        lasting = self.lasting if self._may_last(source, found, project) else frozenset()
        if not wanted and not joints and not lasting:
            return _Alone(hash(source.data))
        suspicion = self._suspicion(source, wanted, found, project, coroutines)
        suspicion.look_at(joints, self.joined)
        if lasting:
            suspicion.look_behind(lasting)
        lines = suspicion.run()
        self.kept[os.path.abspath(source.path)] = suspicion
        while len(self.kept) > 1 and sum(known.lines_read for known in self.kept.values()) > _KEPT:
            del self.kept[next(iter(self.kept))]
        return _Alone(hash(source.data), lines, dict(suspicion.passed_on), suspicion.lines_read)

    def _may_last(self, source: Source, found: set[str], project: Project | None) -> bool:
        """Tell whether a file names something that can be read from, or may get it by an import."""
        if self.lasting_words.isdisjoint(found):
            return project is not None and bool(project.imported_by(source))
        return True

    def _joints(self, source: Source, data: bytes, project: Project | None) -> tuple[int, ...]:
        """Return the offsets of the joints in a file that may matter."""
        if not may_join(data):
            return ()
        return tuple(joints(data, None if self.joined_all else self._nearby.edges(source, data, project)))

    def _suspicion(
        self,
        source: Source,
        wanted: dict[str, tuple[Want, ...]],
        found: set[str],
        project: Project | None,
        coroutines: Mapping[str, tuple[Want, ...]],
    ) -> Suspicion:
        names = {**{name: owners_of(these) for name, these in coroutines.items()}, **self.async_names}
        if project is None:
            return Suspicion(source, wanted, self.libraries, frozenset(found), coroutines=names)
        reach = Reach(self.around, source, project)
        local = self._nearby.local_names(source, project) if self.local else None
        return Suspicion(
            *(source, wanted, self.libraries, frozenset(found), reach, reach.is_own, reach.may_await, names, local),
            self.around.receivers(source, frozenset(found), reach, project),
            project.bindings_of(os.path.abspath(source.path), source.data),
        )

    def _passed_to(self, source: Source, project: Project) -> dict[str, tuple[Want, ...]]:
        """Return the names in a file that other modules of the project pass on: what uses them may matter.

        Kept, since what a file tells those who import it holds these, too.
        """
        path = os.path.abspath(source.path)
        known = self._foreign.get(path)
        if known is None or known[0] != hash(source.data):
            known = self._foreign[path] = hash(source.data), self._find_passed_to(source, project)
        return known[1]

    def _find_passed_to(self, source: Source, project: Project) -> dict[str, tuple[Want, ...]]:
        found: dict[str, dict[Want, None]] = {}
        path = os.path.abspath(source.path)
        words: set[bytes] | None = None
        seen: set[tuple[str, bool]] = set()
        for name, bindings in project.bindings_of(path, source.data).items():
            for binding in bindings:
                for module, leaf in project.origins(binding.full, path):
                    passed = self.passed_by(module, project) if module != path else {}
                    if leaf in passed:
                        found.setdefault(name, {}).update(dict.fromkeys(passed[leaf]))
                    # The module itself, whose names follow a dot, or what may lead to an object of its classes.
                    whole = module.endswith((f"{os.sep}{leaf}.py", os.path.join(os.sep, leaf, "__init__.py")))
                    if (module, whole) in seen or module == path:
                        continue
                    seen.add((module, whole))
                    words = words if words is not None else set(words_of(source.data))
                    for other, these in self._handed_on(module, source.data, words, project) if whole else ():
                        found.setdefault(other, {}).update(dict.fromkeys(these))
                    for other, these in passed.items():
                        if other.encode() in words:
                            new = [want for want in these if whole or want.of_type]
                            found.setdefault(other, {}).update(dict.fromkeys(new))
        return {name: tuple(dict.fromkeys(map(constructed, these))) for name, these in found.items() if these}

    def _handed_on(
        self, module: str, data: bytes, words: set[bytes], project: Project
    ) -> Iterator[tuple[str, tuple[Want, ...]]]:
        """Yield the names that a module has from others that pass them on, and that follow a dot in a text."""
        for name, bindings in project.bindings_of(module, self.around.text(module, project)).items():
            if (word := name.encode()) in words and b"." + word in data:
                for origin, leaf in (o for binding in bindings for o in project.origins(binding.full, module)):
                    if origin != module and (these := self.passed_by(origin, project).get(leaf)):
                        yield name, these

    def passed_by(self, path: str, project: Project) -> dict[str, tuple[Want, ...]]:
        """Return the names that a module passes on by itself."""
        known = self._own.get(path)
        if known is not None:
            return known.passed_on
        if (before := self.passed_before(path)) is not None:
            return before
        source = Source(path, self.around.text(path, project))
        if self.coroutines is not None:  # all files are looked at anyway
            return self._alone(source, project).passed_on
        passed = self.passing.get(path)
        if passed is None:
            passed = self.passing[path] = self._look_for_passing(source, project)
        return passed

    def _look_for_passing(self, source: Source, project: Project) -> dict[str, tuple[Want, ...]]:
        """Return the names that a module passes on, without asking what else matters in it."""
        found = self.find(_plain_bytes(source))
        wanted = {
            word: through
            for word, these in self._in_reach(found, found, source, project).items()
            if (through := tuple(want for want in these if "through" in want.shape))
        }
        suspicion = self._suspicion(source, wanted, found, project, {})
        suspicion.run()
        return dict(suspicion.passed_on)

    def _in_reach(self, words: Iterable[str], found: set[str], source: Source, project: Project | None) -> Wants:
        """Return the wants of words whose library is named here, or could come in by an import from the project."""
        answers: dict[tuple[frozenset[str], bool], bool] = {}

        def is_in_reach(want: Want) -> bool:
            if not want.roots or not want.name:
                return True
            key = want.roots, want.near
            if key not in answers:
                answers[key] = self._is_in_reach(want, found, source, project)
            return answers[key] and (want.of_type or is_near(want.roots, found))

        near = {word: tuple(filter(is_in_reach, self.wanted.get(word, ()))) for word in words}
        return {word: these for word, these in near.items() if these}

    def _is_in_reach(self, want: Want, found: set[str], source: Source, project: Project | None) -> bool:
        """Tell whether one of the roots of a want is named here, or where an object may come from."""
        roots = want.roots
        if is_near(roots, found) or project is None:
            return True
        leaf_is_here = not leaves_of(roots).isdisjoint(found)
        imported = self._named_around(source, project)
        if want.near:  # the word is here, the package only where the object's type is imported from
            return leaf_is_here and any(is_near(roots, found, named) for named in imported)
        telling = telling_names(self.libraries)
        return leaf_is_here or not telling.isdisjoint(found) or any(is_near(roots, named) for named in imported)

    def _named_around(self, source: Source, project: Project) -> Sequence[frozenset[str]]:
        """Return the words of interest of each module that a file imports; those of the last file are kept."""
        if self._last is None or self._last[0] is not source:
            self._last = source, [self.around.named_in(path, project) for path in project.imported_by(source)]
        return self._last[1]

    def _coroutines_in(
        self, source: Source, data: bytes, found: set[str], project: Project | None
    ) -> tuple[dict[str, tuple[Want, ...]], set[str]]:
        """Return the names of coroutine functions that stand in a file, and the classes that have such methods."""
        if self.coroutines is not None:
            return {name: self.coroutines[name] for name in found if name in self.coroutines}, set()
        owners = dict(coroutines_of(data))
        if project is not None:
            for path in project.imported_by(source, depth=2):
                for name, classes in self.around.owners_in(path, project).items():
                    owners[name] = owners.get(name, frozenset()) | classes
        text = data if len(owners) < _FEW else set(words_of(data))
        here = {name: self._coroutine(name, owners[name]) for name in owners if name.encode() in text}
        named = {c for c in set().union(*owners.values()) if c and c.encode() in text}
        return here, named

    def tells(self, source: Source, project: Project) -> dict[str, str]:
        """Return, hashed, what a file tells those who import it, by the name that they use; "" for the whole file."""
        told: dict[str, list[object]] = {}
        if not self.always:
            handed_on = self._passed_to(source, project) if self.through else {}
            for these in (self._alone(source, project).passed_on, handed_on):
                for name, wants in these.items():
                    told.setdefault(name, []).append(sorted(map(plain_want, wants)))
        for name, said in self._nearby.facts(source, joined=bool(self.joined), local=bool(self.local)):
            told.setdefault(name, []).append(said)
        return {name: digest(sorted(map(repr, said))) for name, said in told.items()}

    def pass_anew(self, path: str) -> None:
        """Forget what other modules pass on to one."""
        self._foreign.pop(path, None)
        self.woken.pop(path, None)

    @property
    def telling(self) -> frozenset[str]:
        """The words without which nothing of a file matters that neither joins text nor uses the project's modules."""
        return self.lasting_words.union(self.wanted, self._nearby.known_names if self.joined else ())

    def forget(self, path: str) -> None:
        """Drop what is known of one file, after an edit; what others led to may have come from it."""
        self.around.forget(os.path.abspath(path))
        self._nearby.forget(path)
        self._own.clear()
        self.passing.clear()
        self._foreign.clear()
        self.woken.clear()
        self.kept.clear()


def _plain_bytes(source: Source) -> bytes:
    """Return the bytes in an encoding that writes words as ASCII does."""
    if b"coding" in source.data[:400]:
        try:
            if source.encoding != "utf-8":
                return source.decoded().encode()
        except SourceError:
            pass
    return source.data
