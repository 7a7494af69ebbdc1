"""What is wanted: the words that rows and rules make matter, and what the code around them has to look like."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from keyword import iskeyword

from pitfall_lint.libraries import Attribute, Function, Libraries, Row, Type, kinds
from pitfall_lint.libraries.paths import UrlUse
from pitfall_lint.semantic.spans import Binding


@dataclass(frozen=True, slots=True)
class Want:
    """One word that matters to some rules, and what the code around it has to look like."""

    word: str
    name: str
    """The qualified name that the word is the leaf of; empty for plain words, which matter in strings, too."""
    of_type: bool
    """Whether the name is a method, or an attribute of objects: the receiver may be anything."""
    kind: type[Row]
    roots: frozenset[str]
    """Top-level packages of which one has to be in reach; none: no condition."""
    rules: frozenset[str]
    shape: frozenset[str] = frozenset()
    """What the rules' pages and the row's field say of the code around the word, see SHAPES."""
    near: bool = False
    """Whether one of the roots has to be named in the very file."""
    given: str = ""
    """The argument without which a call of it does not matter, `position|keyword`."""
    hops: int = 0
    """How many definitions lie between it and what a row speaks of."""

    def touches(self, looks: frozenset[str] | set[str]) -> bool:
        """Tell whether code that looks so is a use of what is wanted, wherever it stands."""
        return self.shape - looks <= _ELSEWHERE

    def wakes(self, looks: frozenset[str] | set[str]) -> bool:
        """Tell whether a definition with code that looks so has to be looked at."""
        return self.shape - looks <= _ABOUT_NAMES


SHAPES = frozenset(
    {
        "bare-except",
        "called",
        "not-awaited",
        "dropped",
        "in-def",
        "in-async",
        "decorates",
        "slashed",
        "slashless",
        "bare-await",
    }
    | {"through", "indirect", "coroutine-call", "local-address", "given", "assigned", "async-argument", "constructed"}
    | {"leaves", "returns", "chain", "joined", "astray", "chosen", "returns-later", "based", "bare-except"}
    | {"handed", "beside-entry", "by-async", "closing", "leaking", "owned", "ending", "refusing", "yields"}
    | {"needing-loop", "early", "borrows", "rescues", "alone", "endless"}
)
"""What pages and rows may say of the code around the words, so that less has to be read.

called: the name is called right there; dropped: and what it gives is not used; not-awaited: not after `await`. in-
def, in-async: the kind of the function around. decorates: a decorator that is called with something else than a
path such as "/x"; slashed: a call with a constant that may start with a slash or be an address, or all that a
function returns; slashless: a call with something else than a path that starts with one slash. bare-await: `await`
of something that is no call; bare-except: a clause that takes everything. through: who calls the function that
holds the word matters, too; indirect: only they do. coroutine-call: a call, not awaited, of something that is a
coroutine function somewhere. local-address: the function names this machine, or something that is given its name.
based: only where a client is made that resolves addresses against a base. given: a call with the argument that the
row speaks of. assigned: the name is an attribute that is assigned to. async-argument: a call that is given
something that goes by the name of a coroutine function. constructed: functions that give an object of a type are
not meant, the type is. astray: a call of which the outcome is not returned, put into a list or given to what runs
coroutines. returns-later: functions that return what may read from something that they have closed, whatever the
words, see later.py. chosen: not by a page, but by a user. joined: where texts are joined, whatever the words, see
joints.py. leaves, returns, chain: kinds of through. leaves: only if what the word gives is returned or kept on an
object; returns: only if it is returned; chain: only plain functions pass it on, as whoever calls them runs what they
do. handed, by-async: of what is passed on, only what stands beside a word that hands functions to threads matters
("beside-entry"), or only calls in coroutines. leaking: only of types of which their rows say that they must be closed.
closing: the function names a method that closes, or enters what it has by a name; ending: or enters anything.
owned: as leaves, but of functions only those matter that return what they make, and classes that keep it. refusing,
needing-loop: only of types that refuse to work once they are closed, or that are made where a loop runs. early:
outside of functions, or beside a constructor. yields: in a generator. borrows: beside what lends something, or may be
given it. rescues: called on a condition in an except clause. endless: beside a `while`, and something that waits.
alone: who calls the function does not matter, whatever the rule's other words.
"""
_ABOUT_NAMES = frozenset(
    {"through", "coroutine-call", "leaves", "owned", "returns", "chain", "based", "handed", "by-async"}
)
_ELSEWHERE = (
    _ABOUT_NAMES
    | {"in-def", "in-async", "indirect", "local-address", "beside-entry", "closing", "ending"}
    | {"yields", "early", "borrows", "rescues", "endless"}
)
_OF_ROWS = frozenset({"given", "constructed", "chosen", "leaking", "refusing", "needing-loop"})
_OF_KEYWORDS = {"await": frozenset({"bare-await"}), "except": frozenset({"bare-except"})}


def passed_on(shape: frozenset[str]) -> frozenset[str]:
    """Return what the code around a name has to look like that stands for code of some shape."""
    found = shape - ({"indirect"} if "indirect" in shape else {"called", "dropped"})
    if "handed" in found:
        found = (found - {"in-def"}) | {"beside-entry"}
    return found | {"in-async"} if "by-async" in found else found


def blocks(shape: frozenset[str]) -> bool:
    """Tell whether code of a shape is wanted, here or where it is called, for what it does to a coroutine's loop."""
    return "indirect" in shape or ({"chain", "in-async"} <= shape and "by-async" not in shape)


Wants = Mapping[str, tuple[Want, ...]]


def wants(asked: Mapping[tuple[type[Row], frozenset[str]], frozenset[str]], libraries: Libraries) -> Wants:
    """Return what rows wake, by word: leaves of names, of their other paths, and plain words.

    `asked` are the rules by the kind of rows that they ask for and the shape of code that they look for.
    """
    also, makers, of_type = _other_names(libraries), _makers(libraries), _words_of_types(libraries)
    found: dict[str, dict[Want, None]] = {}

    def add(word: str, name: str, of_type: bool, roots: Iterable[str], more: Iterable[str] = ()) -> None:
        whole = shape.union(more)
        if iskeyword(word) and (name or not whole - {"chosen"} <= _ELSEWHERE | _OF_KEYWORDS.get(word, frozenset())):
            return  # a name from older Pythons, or nothing that can be true of this keyword
        given = str(getattr(row, "argument", "")) if "given" in whole and name else ""
        want = Want(
            word,
            name,
            of_type,
            kind,
            frozenset(roots),
            rules,
            whole - _OF_ROWS - _not_for(row),
            kind is Function,
            given,
        )
        found.setdefault(word, {})[want] = None

    for kind, shape in asked:
        rules = asked[kind, shape]
        based = {row.library for row in libraries.rows(kind) if getattr(row, "base", "") == "reference"}
        for row in libraries.rows(kind):
            if _is_out_of_place(row, shape) or (
                isinstance(row, UrlUse) and "based" in shape and row.library not in based
            ):
                continue
            names = [name for n in row.names for name in also.get(libraries.canonical(n), (n,))]
            roots = {word for n in row.names for word in _near_words(n, libraries, of_type)}
            roots = roots or {name.partition(".")[0] for name in names if "." in name}
            for f in fields(row):
                if isinstance(row, Function):  # asked for by whoever looks for calls of coroutine functions
                    if f.name != "name" or not row.coroutine:
                        continue
                elif not f.metadata.get("word") or ("early" in shape and f.name != "type"):
                    continue
                value = getattr(row, f.name)
                for text in (value,) if isinstance(value, str) else value:
                    if not text:
                        continue
                    if not f.metadata.get("name"):
                        for word in re.findall(r"\w+", text):
                            add(word, "", False, roots, f.metadata.get("shape", ()))
                        continue
                    canonical = libraries.canonical(text)
                    others = makers.get(canonical, ()) if f.name == "type" and "constructed" not in shape else ()
                    for name in (*also.get(canonical, (text,)), *others):
                        owner, _, leaf = name.rpartition(".")
                        more = f.metadata.get("shape", ())
                        near: Iterable[str] = () if owner in ("", "builtins") else (name.partition(".")[0],)
                        if is_method := _is_type(owner, libraries):
                            near = of_type.get(libraries.canonical(owner), (_near_word(owner),))
                        add(leaf, name if owner else "", is_method, near, more)
    return {word: tuple(these) for word, these in found.items()}


def _is_out_of_place(row: Row, shape: frozenset[str]) -> bool:
    """Tell whether a row's own fields say that it cannot matter to rules that look for such code."""
    if getattr(row, "strict", False) is True and "chain" in shape:
        return "chosen" not in shape
    if "leaking" in shape and (leaks := getattr(row, "leaks", "default")) != "default":
        return leaks == "no" or "chosen" not in shape
    if ("refusing" in shape and not getattr(row, "closed", "")) or (
        "needing-loop" in shape and not getattr(row, "needs_loop", "")
    ):
        return True
    return "async-argument" in shape and getattr(row, "takes_coroutines", False) is True


def _not_for(row: Row) -> set[str]:
    """Return the shapes that mean nothing for a row: "/x" is no plain path where no slash may lead."""
    if getattr(row, "leading", "required") == "forbidden":
        return {"based", "slashless"}
    return set() if isinstance(row, UrlUse) else {"based"}


def _is_type(owner: str, libraries: Libraries) -> bool:
    leaf = owner.rpartition(".")[2]
    return leaf[:1].isupper() or libraries.is_known_type(owner)


def _other_names(libraries: Libraries) -> dict[str, tuple[str, ...]]:
    """Return, for a canonical name, its other paths and, for a type, the types that inherit from it."""
    found: dict[str, dict[str, None]] = {}
    for kind in (Type, Function):
        for row in libraries.rows(kind):
            assert isinstance(row, (Type, Function))
            for name in (row.name, *row.also):
                found.setdefault(row.name, {row.name: None})[name] = None
    for type_ in libraries.rows(Type):
        for base in libraries.bases(type_.name)[1:]:
            found.setdefault(base, {base: None}).update(dict.fromkeys((type_.name, *type_.also)))
    return {name: tuple(names) for name, names in found.items()}


def _near_words(name: str, libraries: Libraries, of_type: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Return words of which one is near whatever is an object of the type that a name speaks of."""
    canonical = libraries.canonical(name)
    owner = canonical.rpartition(".")[0]
    if canonical in of_type:
        return of_type[canonical]
    if owner in of_type:
        return of_type[owner]
    return (name.partition(".")[0],) if "." in name else ()


def _near_word(name: str) -> str:
    """Return a name's package and its leaf: "package.module.Type" is near where both words stand."""
    package, _, rest = name.partition(".")
    return f"{package}.{rest.rpartition('.')[2]}" if rest and package != "builtins" else rest or package


def _words_of_types(libraries: Libraries) -> dict[str, frozenset[str]]:
    """Return, for a canonical type, the leaf words by which code comes to its objects: classes, makers, variables."""
    found: dict[str, set[str]] = {}

    def add(type_: str, names: Iterable[str]) -> None:
        for base in libraries.bases(libraries.canonical(type_)):
            found.setdefault(base, {_near_word(base)}).update(map(_near_word, names))

    for type_ in libraries.rows(Type):
        add(type_.name, (type_.name, *type_.also))
        if type_.enters:
            add(type_.enters, (type_.name, *type_.also))
    for function in libraries.rows(Function):
        for given in (function.returns, *function.parts):
            if given:
                add(given, (function.name, *function.also))
    for attribute in libraries.rows(Attribute):
        add(attribute.type, (attribute.name,))
    return {name: frozenset(words) for name, words in found.items()}


def _makers(libraries: Libraries) -> dict[str, tuple[str, ...]]:
    """Return, for a canonical type, the names of the functions that give objects of it."""
    found: dict[str, dict[str, None]] = {}
    for function in libraries.rows(Function):
        if function.returns:
            for base in libraries.bases(libraries.canonical(function.returns)):
                found.setdefault(base, {}).update(dict.fromkeys((function.name, *function.also)))
    return {name: tuple(names) for name, names in found.items()}


@lru_cache(maxsize=8)
def telling_names(libraries: Libraries) -> frozenset[str]:
    """Return the names that say what an untyped object is, by the rows: `loop`, `executor`."""
    rows = (row for kind in kinds().values() for row in libraries.rows(kind))
    return frozenset(n for row in rows for n in getattr(row, "receivers", ()))


@lru_cache(maxsize=8)
def giving(libraries: Libraries) -> Mapping[str, frozenset[str]]:
    """Return, for leaf names of functions and methods that are known to give objects, the packages of their types."""
    found: dict[str, set[str]] = {}
    for row in libraries.rows(Function):
        for given in (row.returns, *row.parts):
            for base in libraries.bases(libraries.canonical(given)) if given else ():
                for name in (row.name, *row.also):
                    found.setdefault(name.rpartition(".")[2], set()).add(base.partition(".")[0])
    return {name: frozenset(packages) for name, packages in found.items()}


@lru_cache(maxsize=8)
def known_roots(libraries: Libraries) -> frozenset[str]:
    """Return the top-level packages that rows speak of: nothing of a project stands in them."""
    names = (name for kind in (Type, Function) for row in libraries.rows(kind) for name in row.names)
    return frozenset(name.partition(".")[0] for name in names if "." in name)


def has_row(libraries: Libraries, kind: type[Row], name: str) -> bool:
    """Tell whether a row of a kind speaks of a name; of functions, only coroutine functions are asked for."""
    rows = libraries.find_all(kind, name)
    return any(row.coroutine for row in rows if isinstance(row, Function)) if kind is Function else bool(rows)


def may_be_own(bound: Iterable[Binding] | None, libraries: Libraries) -> bool | None:
    """Tell whether what imports bind a name to may be the project's; None when none binds it."""
    if not bound:
        return None
    tops = [binding.full.partition(".")[0] for binding in bound]
    return any(not top or (top not in known_roots(libraries) and top not in sys.stdlib_module_names) for top in tops)


def ends_of(name: str, place: str) -> tuple[bytes, bytes]:
    """Return a name's leaf, and what stands in its call where an argument is given: a keyword, or a first argument."""
    keyword = place.rpartition("|")[2].encode()
    return name.rpartition(".")[2].encode(), rb"(?:\b%s\b|(?<=\()[^\s()=]+\s*[,)])" % keyword


def unbased(wanted: tuple[Want, ...]) -> tuple[Want, ...]:
    """Return what is left of wants where no client is made that resolves addresses against a base."""
    return tuple(want for want in wanted if "based" not in want.shape)


PlainWant = tuple[str, str, bool, str, tuple[str, ...], tuple[str, ...], tuple[str, ...], bool, str, int]


def plain_want(want: Want) -> PlainWant:
    """Return a want as plain data."""
    roots, rules, shape = (tuple(sorted(these)) for these in (want.roots, want.rules, want.shape))
    return want.word, want.name, want.of_type, want.kind.__name__, roots, rules, shape, want.near, want.given, want.hops


def want_of(plain: PlainWant) -> Want:
    """Return the want that was made plain."""
    word, name, of_type, kind, roots, rules, shape, near, given, hops = plain
    sets = frozenset(roots), frozenset(rules), frozenset(shape)
    return Want(word, name, of_type, _kinds_by_name()[kind], *sets, near, given, hops)


@lru_cache(maxsize=1)
def _kinds_by_name() -> dict[str, type[Row]]:
    found: list[type[Row]] = [Row, *kinds().values()]
    return {kind.__name__: kind for kind in found}


def owners_of(wanted: Iterable[Want]) -> frozenset[str] | None:
    """Return the classes whose methods are wanted, "" for functions; None when they may be anything's."""
    found: set[str] = set()
    for want in wanted:
        if want.of_type and not want.roots:
            return None
        found |= want.roots if want.of_type else {""}
    return frozenset(found)


def constructed(want: Want) -> Want:
    """Return what another module's class is wanted for: making an object of it, not inheriting from it."""
    if not want.word[:1].isupper():
        return want
    return replace(want, shape=want.shape | {"called"})
