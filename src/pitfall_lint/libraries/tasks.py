"""Rows about tasks: what starts coroutines and functions, who holds the result, and who reads its exception."""

from __future__ import annotations

from typing import Literal

from pitfall_lint.libraries.rows import Row, name_field, row, word_field


@row
class Spawn(Row):
    """A call that starts a coroutine (or a function) in the background and gives a task or future."""

    call: str = name_field(shape=("not-awaited",))
    coroutine: str = "0|coro"
    """Where the coroutine is: position|keyword."""
    function: str = ""
    """Where the function is, for calls that take one with its arguments instead of a coroutine."""
    keeps: bool = False
    """The callee holds the task and hands its exception on (task groups, nurseries)."""
    receivers: tuple[str, ...] = ()
    """Names that say enough when the type of the object is unknown: `self.loop.create_task(…)`."""
    takes_futures: bool = False
    """A task or future may stand in the place of the coroutine."""
    silent: bool = False
    """A lost exception is not even logged."""
    cancellable: bool = True
    """Whether the loop cancels it at shutdown, so that callbacks meet cancelled futures."""
    awaitable: bool = False
    """What it gives can be awaited in the place of the coroutine: `await loop.run_in_executor(…)`."""
    group: str = ""
    """The group whose `create_task` starts the same and hands its exception on; `async with` makes one."""
    group_python: str = ""
    """The Pythons that have it."""


@row
class Likely(Row):
    """A method that most likely starts a function on whatever object has it, if it is given one."""

    method: str = word_field(default="")
    does: str
    """What it most likely does: the name of a spawn."""


@row
class Future(Row):
    """A type whose objects carry a result or an exception that somebody has to read."""

    type: str = name_field(wakes=False)
    reads: tuple[str, ...] = ("result", "exception")
    raises_when_cancelled: tuple[str, ...] = ("result", "exception")
    cancel: str = "cancel"
    cancelled: str = "cancelled"
    callback: str = word_field(default="add_done_callback")
    ignores: tuple[str, ...] = ()
    """Methods that say nothing about the exception."""
    cancelled_error_is_exception: bool = False
    """Whether `except Exception` takes the error of a cancelled one."""


@row
class Waiter(Row):
    """A call that takes several tasks, coroutines or futures and waits for them."""

    call: str = name_field()
    raises: bool = True
    """Awaiting it raises what a task raised; False for calls that only say which are done."""
    iterated: bool = False
    """It is looped over, and the loop's variable is one of them."""
    detaches: bool = False
    """It gives a future of its own: dropped without await, the exception is lost."""
    returns_exceptions: str = ""
    """The keyword that turns exceptions into results."""
    single: bool = False
    """It takes one only, so that nothing runs beside who waits."""


@row
class Scheduled(Row):
    """A call that runs a function later and drops what the function returns."""

    call: str = name_field()
    function: str = "0|callback"
    """Where the function is: position|keyword."""
    receivers: tuple[str, ...] = ()
    at_end: bool = False
    """It is called to end the program: nobody is left to tell what goes wrong then."""
    goes_on_after: tuple[str, ...] = ()
    """First arguments (signals) for which it is not."""


@row
class Harmless(Row):
    """Calls that do not raise on their own, awaited or not."""

    call: tuple[str, ...] = name_field(wakes=False)


@row
class Suppressor(Row):
    """A context manager that swallows the exceptions it is given."""

    name: str = name_field(wakes=False)


@row
class Cancellation(Row):
    """An exception that cancels, or (`call`) a function that returns its class."""

    error: str = name_field(default="")
    call: str = name_field(default="")
    word: str = word_field(default="")
    """The word to look for, where the name's package need not be imported."""
    bare: str = word_field(default="", shape=("bare-except",))
    """The keyword of the clause that takes it without naming it."""
    never: bool = False
    """Its library forbids to swallow it anywhere."""


@row
class Keyword(Row):
    """A word of the language that a file must hold for a rule to matter."""

    word: str = word_field()
    meaning: Literal["coroutine", "await", "except"]


@row
class Counter(Row):
    """What goes by the names of parameters that count attempts."""

    params: tuple[str, ...] = word_field()


@row
class Background(Row):
    """A call that takes a function and runs it after the response; it wants the function, not its result."""

    call: str = name_field()
    function: str = "0|func"


@row
class Transparent(Row):
    """A decorator behind which a coroutine function is still one, with the same errors."""

    decorator: str = name_field(wakes=False)


@row
class Retry(Row):
    """A decorator or call that runs a function again when it raises."""

    call: str = name_field()
    only: str = ""
    """The keyword or position|keyword that says which exceptions are retried."""
    stop: str = ""
    """The keyword that ends the retries; several separated by |."""
    wait: str = ""
    """The keyword that waits between the retries; empty when it always waits."""
    stops: bool = False
    """It gives up by default."""
    everything: bool = True
    """Without `only` it retries any Exception."""
    needs_only: bool = False
