"""Rows about sessions: what has to be closed, how, what is read from it later, and what hands it on."""

from __future__ import annotations

from typing import Literal

from pitfall_lint.libraries.rows import Row, name_field, row, word_field


@row
class Session(Row):
    """A type whose objects hold connections or files until they are closed."""

    type: str = name_field()
    makers: tuple[str, ...] = name_field(default=())
    """Functions other than the constructor that make one."""
    close: tuple[str, ...] = word_field(default=("close",))
    """The methods that end it."""
    close_is_async: bool = False
    sync_close: tuple[str, ...] = word_field(default=())
    """Methods that end it without being awaited."""
    closed: str = ""
    """What a use after the close raises; empty when it reopens or goes on working."""
    uses: tuple[str, ...] = ()
    """Methods that need it open."""
    opens: tuple[str, ...] = ()
    """Methods that open it (again)."""
    borrows: tuple[str, ...] = ()
    """Arguments of the constructor that bring the resources along, so that others own them."""
    leaks: Literal["default", "strict", "no"] = "strict"
    """How clear it is that one must be closed: what never closing it costs."""
    leaks_when: str = ""
    """What a leak shows at run time."""
    needs_loop: str = ""
    """What making one without a running event loop does; empty if nothing."""
    kind: Literal["client", "connection", "response", "file"] = "client"
    shared: bool = False
    """A pool or engine that a program keeps on purpose as long as it lives."""


@row
class Lazy(Row):
    """A call whose result still reads from its receiver (or first argument) when it is iterated."""

    call: str = name_field()
    survives: bool = False
    """It still works when the session is closed, but not when its own response or file is."""
    when: str = ""
    """The keyword that makes it lazy (`stream`); empty: always."""
    after: str = ""
    """What happens when it is read after the close."""
    argument: str = ""
    """Where the thing is that it reads from, `position|keyword`; empty: the receiver."""
    consumed_by: tuple[str, ...] = ()
    """Methods that read everything, so that nothing is left to be read later."""
    iterates: Literal["", "sync", "async"] = ""
    """How the result is read when that is all one does with it: by `for`, by `async for`."""


@row
class StreamBody(Row):
    """A response that a framework iterates after the handler has returned."""

    call: str = name_field()
    content: str = "0|content"
    background: str = ""
    """Where the function is that is called after the body."""
    background_type: str = ""
    """What that function is wrapped in: the class to import."""


@row
class HandsOn(Row):
    """A call that takes over the closing of what it is given (`enter_async_context`, `push_async_callback`)."""

    call: str = name_field(wakes=False)


@row
class Lends(Row):
    """A call that uses a client that it is given, and never closes it."""

    call: str = name_field(wakes=False)
    argument: str


@row
class Route(Row):
    """A decorator (or method) that makes a function run for each request."""

    call: str = name_field()


@row
class Dependency(Row):
    """A marker in a parameter's default or annotation: the framework calls a function and, when it yields,
    resumes it later."""

    call: str = name_field()
    function: str = "0|dependency"
    scope: str = ""
    early: str = ""
    """Versions in which the part behind `yield` runs before a streaming body is sent (PEP 440)."""
    late_scope: str = ""
    """The scope with which it runs behind the body."""


@row
class ClosingWord(Row):
    """A method name that says that something ends, whatever its type is."""

    word: str = word_field()


@row
class AsyncClosingWord(Row):
    """A method name that is known from coroutine functions alone."""

    word: str = word_field()


@row
class StatusCheck(Row):
    """A method that raises for a bad status: behind a test for one it always does."""

    method: str
    status: tuple[str, ...] = ()
    """Attributes that hold the status."""
    least: int = 400
    """From this status on it raises."""
    good: tuple[str, ...] = ()
    """Attributes that are false whenever it raises, and only then."""
    bad: tuple[str, ...] = ()
    """Attributes that are true only where it raises."""
