"""Rows about proxies: who takes them from the environment, and what keeps a client from it or does not."""

from __future__ import annotations

from typing import Literal

from pitfall_lint.libraries.rows import Row, name_field, row, word_field


@row
class ProxyVariable(Row):
    """Environment variables that say which proxy to use, or for which hosts to use none."""

    variables: tuple[str, ...] = word_field()
    """Every spelling of one variable."""
    role: Literal["proxy", "exceptions"] = "proxy"
    fallback: bool = False
    """It holds for every scheme that has no variable of its own."""


@row
class EnvironmentUse(Row):
    """A call that reads or changes one variable of the process environment."""

    call: tuple[str, ...] = name_field(wakes=False)
    does: Literal["read", "set", "default", "clear", "update"] = "read"
    variable: str = "0|key"
    value: str = ""
    raises: bool = False
    """Without a second argument it raises KeyError when the variable is not set."""


@row
class Environment(Row):
    """A mapping that is the process environment."""

    mapping: str = name_field(wakes=False)


@row
class ProxiedRequest(Row):
    """Functions that send a request, and read the proxy for it from the environment."""

    call: tuple[str, ...] = name_field()
    url: str = "0|url"
    carrier: str = ""
    """The type of an object that may stand in the place of the URL and carries it as its first argument."""
    settled_by: tuple[str, ...] = ()
    """Keywords with which the caller decides about proxies."""
    settled_by_calls: tuple[str, ...] = ()
    """Calls that settle it for the whole program."""
    direct: str = ""
    """The argument to add so that the environment is not asked."""
    direct_is_safe: bool = False
    instead: str = ""
    """What to call instead, where no argument helps; the module's name stands for itself."""


@row
class ProxiedClient(Row):
    """A client or session whose requests may go through the environment's proxies."""

    type: str = name_field()
    methods: tuple[str, ...] = word_field()
    """Methods that send a request to the URL in their first argument."""
    second: tuple[str, ...] = word_field(default=())
    """Methods that take the URL as their second argument."""
    switch: str = ""
    """The constructor's keyword (and perhaps attribute) that says whether the environment is asked."""
    trusts: bool = True
    """What the switch is when nobody says so."""
    switch_is_attribute: bool = False
    """Whether the switch can be set on the object later."""
    settled_by: tuple[str, ...] = ()
    """The constructor's keywords with which the program decides about proxies or about the connection."""
    request_settled_by: tuple[str, ...] = ()
    """The same for one request."""
    settled_by_methods: tuple[str, ...] = ()
    """Methods that put the program's own connection in the place of the usual one."""
    usual: tuple[str, ...] = ()
    """Types of connections that may be put there and ask the environment like the usual one."""
    base_url: str = ""
    """The constructor's argument that relative URLs are joined to."""
    bound: bool = False
    """Every request goes to the base URL: it is told at the constructor."""
    direct: str = ""
    """The constructor's argument to add so that the environment is not asked."""
    request_direct: str = ""
    """The same for one request."""


@row
class SelfProbe(Row):
    """A call that starts a server and then asks for its own URL, through the environment's proxies."""

    call: str = name_field()
    symptom: str = ""
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    """The names that NO_PROXY must list."""


@row
class NoBypass(Row):
    """An argument that looks as if it kept the request from the proxy, and does not."""

    call: tuple[str, ...] = name_field()
    argument: str
    """`position|keyword`."""
    value: str
    """The literal for which it holds: `None`, `{}`, …; `*` for any."""
    says: str
    """What happens and what follows."""
    unless: tuple[str, ...] = ()
    """Keywords of the same call that settle the matter."""
    remedy: str = ""
    """The argument to put in its place; `-` to leave it out."""
    partly: bool = False
    """It helps against most of it: told in the strict set alone."""


@row
class NoBypassAttribute(Row):
    """An attribute that looks as if setting it kept requests from the proxy, and does not."""

    attribute: str = name_field()
    value: Literal["empty", "any"] = "any"
    """For which values it holds; empty: nothing in it but None and empty strings."""
    says: str
    settled_by: str = ""
    """Another attribute of the same object that does settle it when false."""
    remedy: str = ""
    """A statement to put in its place; `{object}` stands for what the attribute belongs to."""


@row
class LiteralExceptions(Row):
    """A library that compares NO_PROXY entries as text, so that a network such as 127.0.0.0/8 is no match."""

    module: str = name_field()
    networks: bool = False
