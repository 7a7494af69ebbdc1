"""Rows about event loops and threads: who runs what where, who needs a loop, who blocks one."""

from __future__ import annotations

from typing import Literal

from pitfall_lint.libraries.rows import Row, name_field, row, word_field


@row
class ThreadEntry(Row):
    """A call that has another thread (or process) call the functions it is given."""

    call: str = name_field()
    function: tuple[str, ...] = ("0",)
    """Where the functions stand in the call: `position|keyword`."""
    takes_coroutines: bool = False
    """Coroutine functions are welcome: they run on the loop instead."""
    thread: str = "another thread"
    """Where the function runs, in words for messages."""
    awaitable: bool = False
    """The call gives something to await, so that it is made on a loop."""
    process: bool = False
    each: bool = False
    """The function is called once for each item of its other arguments (`map`)."""
    launcher: bool = False
    """The call only describes a thread; whoever calls `start` on it starts it (threads, timers)."""


@row
class ThreadMethod(Row):
    """A class whose subclasses' methods of these names are called on another thread."""

    type: str = name_field()
    methods: tuple[str, ...] = ()
    thread: str = "another thread"


@row
class ThreadAttribute(Row):
    """A type that calls the functions assigned to these attributes on another thread."""

    type: str = name_field()
    attributes: tuple[str, ...] = word_field()
    started_by: tuple[str, ...] = ()
    """Words (method names) of which one must stand in the file: without them no thread is started."""
    run_by: tuple[str, ...] = ()
    """Methods that call them on the thread that they are run on: handed to a thread, they are as good as started."""
    driven_by: tuple[str, ...] = ()
    """Words (method names) by which a program runs these calls on a loop of its own: then nothing is known."""
    thread: str = "another thread"


@row
class ThreadDecorator(Row):
    """A decorator whose `def` functions are called on another thread; `async def` ones run on the loop."""

    decorator: str = name_field()
    thread: str = "a thread of the framework's pool"


@row
class ThreadScript(Row):
    """A library that runs the scripts that use it on a thread: what they do at module level runs there."""

    module: str = name_field(wakes=False)
    thread: str = "another thread"


@row
class NeedsLoop(Row):
    """A call that raises in a thread without an event loop."""

    call: str = name_field()
    loop: Literal["current", "running"] = "current"
    """Whether `set_event_loop` is enough, or the loop has to be running."""
    unless: str = ""
    """The argument that hands the loop over, `position|keyword`."""
    raises: str = "RuntimeError"
    """What is raised, in words for messages."""
    creates: bool = False
    """The call is there to get a loop, so that `new_event_loop` mends it."""


@row
class RunsLoop(Row):
    """A call that runs an event loop until it is done, and raises where one is running."""

    call: str = name_field()
    coroutine: str = ""
    """Where the coroutine is that it runs, `position|keyword`; empty if it runs no coroutine of ours."""
    function: str = ""
    """Where the coroutine function is, for runners that call it themselves."""
    raises: str = "RuntimeError"
    new_loop: bool = True
    """It makes a loop of its own (`asyncio.run`), not one that it is given."""
    instead: str = ""
    """What to await instead; `{module}` and `{args}` stand for the call's own."""
    patched_by: str = ""
    """A module whose import makes nesting legal."""


@row
class LoopOnly(Row):
    """A method that only the loop's own thread may call."""

    call: str = name_field()
    via: Literal["callback", "coroutine"] = "callback"
    """How it gets to the loop: `call_soon_threadsafe(f, …)` or `run_coroutine_threadsafe(c, loop)`."""
    receiver_is_loop: bool = False
    receivers: tuple[str, ...] = ()
    """Names that say enough when the type of the receiver is unknown: `self.loop.create_task(…)`."""
    loop: str = ""
    """The argument that names the loop, without which the row does not hold: `position|keyword`."""
    effect: str = ""
    """What happens instead, in words for messages."""


@row
class MainThreadOnly(Row):
    """A call that works in the main thread alone."""

    call: str = name_field()
    when: tuple[str, ...] = ()
    """Keywords of which one must be truthy for that; none: always."""
    unless: tuple[str, ...] = ()
    """Keywords of which a falsy one makes it harmless."""
    raises: str = "ValueError: signal only works in main thread of the main interpreter"
    unstoppable: str = ""
    """What to use instead of it on a thread, where without handlers nothing can stop it."""
    installs_handlers: bool = True
    """It installs handlers itself: at import or in a constructor it binds the importer to the main thread."""


@row
class Blocking(Row):
    """A call that keeps its thread waiting: for time, the network, another process or another thread."""

    call: str = name_field()
    waits: str = "waits"
    """What it does, in words for messages: `sleeps`, `waits for the network`."""
    unless: tuple[str, ...] = ()
    """Arguments (`position|keyword`) that make it return at once when they are falsy."""
    only_with: tuple[str, ...] = ()
    """Arguments (`position|keyword`) without which, or with a falsy one, it returns at once."""
    quick_if: tuple[str, ...] = ()
    """Arguments whose mere presence bounds the wait or says that it is meant."""
    asked_by: tuple[str, ...] = ()
    """Methods that tell whether it would wait; where one is asked nothing is reported."""
    seconds: str = ""
    """Where the duration is; a constant of a few hundredths is nothing to speak of."""
    address: str = ""
    """Where the host and port are that it connects to; this machine answers or refuses at once."""
    instead: str = ""
    """A coroutine function with the same arguments to await instead."""
    strict: bool = False
    """Often meant, short or a matter of taste: told in the strict set alone."""


@row
class PlatformTest(Row):
    """A name by which code asks on which system it runs; what depends on it is left alone."""

    name: str = name_field(wakes=False)


@row
class LoopWait(Row):
    """A call that hands a coroutine to a loop from outside; waiting for it on that loop never ends."""

    call: str = name_field()
    coroutine: str = "0|coro"
    loop: str = "1|loop"
    waits: tuple[str, ...] = ("result", "exception")
    """Methods of what it gives that wait."""


@row
class LoopBound(Row):
    """A type whose objects belong to the loop in which they are first used (or made)."""

    type: str = name_field()
    primitive: bool = False
    """A lock, queue or event: bound to a loop by waiting, not by a connection pool."""
    needs_loop: bool = False
    """The constructor itself binds it to the current loop, on every version of Python."""
    python: str = ""
    """Versions of Python (PEP 440) in which the constructor binds it to the current loop."""
    symptom: str = "got Future attached to a different loop"
    closes: tuple[str, ...] = ("close", "aclose")


@row
class CachingDecorator(Row):
    """A decorator that keeps what a function returned and gives it again."""

    name: str = name_field(wakes=False)


@row
class LoopKeeper(Row):
    """A call after which its thread has an event loop, or one that asks whether it has one.

    Code that does so knows about threads: what it guards is not reported.
    """

    call: str = name_field(wakes=False)
    gives: bool = False
    """It gives the thread a current loop."""
    asks: bool = False
    """It tells which thread or loop it is on."""
    thread: bool = False
    """What it tells is the thread, so that it also guards what the main thread alone may do."""
    of_loop: bool = False
    """It is asked of a loop, so that it comes too late for the call that got the loop."""
    only_tested: bool = True
    """Asking counts where its outcome decides: in a comparison, a test, or a `try` with handlers."""


@row
class LoopMaker(Row):
    """A call that makes an event loop, and how the loop becomes the thread's current one and is left."""

    call: str = name_field()
    sets: str = name_field(wakes=False, default="")
    """The function that makes it the thread's current loop."""


@row
class ThreadBoundUi(Row):
    """A user interface that needs the current loop of the thread in which it is built."""

    type: str = name_field()
    symptom: str = ""


@row
class UiLaunch(Row):
    """A call that serves a user interface, and may leave nobody to keep the program alive."""

    call: str = name_field()
    returns_if: tuple[str, ...] = ()
    """Keywords that, when true, make it return at once, its server on a daemon thread."""
    kept_by: tuple[str, ...] = ()
    """Words (methods, functions) with which programs keep themselves alive."""


@row
class CoroutineTest(Row):
    """A call that tells whether a value is a coroutine, or a function that makes one; it knows of no loop."""

    call: str = name_field(wakes=False)
