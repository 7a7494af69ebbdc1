"""Rows about addresses and paths: who registers a route, who joins, who sends, and what a slash does there."""

from __future__ import annotations

from typing import Literal

from pitfall_lint.libraries.rows import Row, name_field, row, word_field

Fate = Literal["fine", "raises", "silent", "melts"]
"""fine: normalised or right. raises: at start-up. silent: never matches. melts: glued to what stands before it."""


@row
class RoutePath(Row):
    """A call that registers a route, a mount or a prefix; what each form of slash does there."""

    call: tuple[str, ...] = name_field(default=())
    decorator: tuple[str, ...] = name_field(default=(), shape=("decorates",))
    """Names that are common words elsewhere and register a path only as decorators (`app.get`)."""
    path: str = "0|path"
    """Where the path stands: `position|keyword`."""
    kind: Literal["route", "websocket", "mount", "prefix", "include", "root"] = "route"
    listed: bool = False
    """The argument is a list of tuples (or of other routes); the path stands first in each."""
    regex: bool = False
    """The path is a regular expression."""
    leading: Literal["required", "optional", "forbidden"] = "required"
    empty: Fate = "fine"
    bare: Fate = "silent"
    """What `x` does."""
    double: Fate = "silent"
    """What `//x` does."""
    trailing: Fate = "fine"
    """What `/x/` does."""
    says: str = ""
    """The message of the exception, for `raises`."""
    trailing_says: str = ""
    prefix: str = ""
    """For includes and mounts: where the router or sub-application stands, `position|keyword`."""
    routes: str = ""
    """For mounts: where a list of routes may stand instead."""
    handler: str = "1|endpoint"
    methods: str = "|methods"
    """Where the methods stand that it answers, unless its own name is one (`app.get`, `add_post`)."""
    answers: tuple[str, ...] = ()
    """What it answers when no methods are given, "*" for all; empty when that depends."""
    parameters: Literal["braces", "angles", "groups"] = "braces"
    """How its path writes parameters: `{id}`, `<id>`, `([^/]+)`."""
    order: Literal["", "first"] = ""
    """first: a request goes to the route that was registered first of those that match, whatever its parameters."""
    again: Literal["", "first", "last", "raises"] = ""
    """Which one answers when a path is registered twice."""
    again_says: str = ""


@row
class Router(Row):
    """A type that holds routes: an application, a router, a blueprint."""

    type: str = name_field(wakes=False)
    prefix: str = ""
    """Where its constructor takes its prefix: `position|keyword`."""
    root: bool = False
    """It is an application: nothing has to include it."""
    routes: str = ""
    """Where its constructor takes a list of routes: `position|keyword`."""
    bare: Fate = "melts"
    """What `x` does below a prefix."""
    without_prefix: Fate = "silent"
    """What `x` does when no prefix is given."""


@row
class UrlInclude(Row):
    """A call that stands for the routes of another module."""

    call: str = name_field(wakes=False)
    module: str = "0|arg"
    """Where the module's dotted name, or a list of routes, stands."""
    variable: str = "urlpatterns"
    """The module's variable that holds them."""


@row
class Join(Row):
    """A call that joins addresses or paths."""

    call: tuple[str, ...] = name_field(default=())
    common: tuple[str, ...] = name_field(default=(), shape=("slashed", "through"))
    """Names that are everywhere: only calls with a constant that may start with a slash are looked at."""
    style: Literal["reference", "file", "normalising"] = "reference"
    """reference: RFC 3986, "/x" replaces the base's path. file: "/x" drops what is before it. normalising: fine."""
    base: str = "0"
    parts: str = "1"
    """Where what is joined stands: `position|keyword`; "*" for all that follow the base."""
    urls: str = ""
    """What an address becomes when it is joined so, in words for messages; empty if that is fine."""


@row
class JoinOperator(Row):
    """A type of which `/` joins paths."""

    type: str = name_field(wakes=False)


@row
class UrlUse(Row):
    """A call that requests, redirects to or serves below an address."""

    call: tuple[str, ...] = name_field(default=(), shape=("called",))
    client: str = name_field(default="")
    """A client's constructor that takes a base address."""
    redirect: tuple[str, ...] = name_field(default=())
    """A redirect to an address."""
    url: str = "0|url"
    kind: Literal["request", "redirect", "base", "cookie", "socket"] = "request"
    base: str = ""
    """How a client joins its base address: "keeps" (its path stays) or "reference" (as urljoin does)."""


@row
class UrlWord(Row):
    """Words one of which stands in every function that builds addresses."""

    tokens: tuple[str, ...] = word_field()


@row
class Setting(Row):
    """A call that reads text that users choose: the environment, a configuration file, a command line option."""

    call: tuple[str, ...] = name_field(shape=("through",))
    key: str = "0|key"
    default: str = "1|default"
    source: Literal["environment", "setting"] = "environment"


@row
class CommandLine(Row):
    """A type whose attributes are the options of a command line, and the method that declares one."""

    type: str = name_field(wakes=False)
    declares: str = "add_argument"
    name: str = "|dest"
    """Where the attribute's name stands, unless it is made of the first long flag."""
    default: str = "|default"


@row
class Text(Row):
    """A function or attribute that gives text of which the edges are known."""

    name: tuple[str, ...] = name_field(wakes=False)
    leading: bool | None = None
    trailing: bool | None = None
    may_be_empty: bool = True
    same_as: str = ""
    """The argument whose text it gives, edges unchanged: `position|keyword`; "receiver" for methods."""
    value: str = ""
    """The constant that it gives."""
    url: bool = False
    """It gives a web address."""
    path: bool | None = None
    """Whether that address carries a path."""


@row
class MountPoint(Row):
    """Words by which a program asks where it is mounted (`root_path`): then it may be mounted below a prefix."""

    tokens: tuple[str, ...] = ()


@row
class MountedPath(Row):
    """A sub-application that compares the whole request path with a path of its own, the mount's part included."""

    type: str = name_field()
    path: str = "|path"
    default: str = ""
    """What the path is when none is given."""
