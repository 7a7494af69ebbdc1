"""The entry point: answers what needs nothing at once, and hands the rest to the command line."""

from __future__ import annotations

import atexit
import gc
import sys

TYPE_CHECKING = False  # as in cache
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> None:
    """Run the command line of this process and exit with its code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from pitfall_lint import __version__

        print(f"pitfall-lint {__version__}")
        return
    atexit.register(_end_at_once)  # first of all, as what is registered later is run earlier
    gc.disable()  # importing makes no waste; the command line enables it again
    from pitfall_lint import cache

    untimed = [argument for argument in arguments if argument.partition("=")[0] != "--timing"]
    name = cache.run_name(untimed, sys.stdout, sys.stderr)
    if name is None or len(untimed) < len(arguments):
        from pitfall_lint.cli import run

        if name is not None:
            cache.RECORDER = cache.Recorder(name)  # files are remembered; the run is made, or there is nothing to time
        _end_with(run(arguments))
    known = cache.replay(name, _judge)
    if known is not None:
        sys.exit(_say_again(*known))
    from pitfall_lint import glance

    clean = glance.answer(arguments, sys.stdout, sys.stderr)
    if clean is not None:
        sys.exit(_say_again(clean, "", 0))
    _end_with(_record(name, arguments))


_CODES: list[int] = []
"""What a run ended with."""


def _end_with(code: int) -> NoReturn:
    _CODES.append(code)
    sys.exit(code)


def _end_at_once() -> None:
    """Leave the memory of a run to the system: to give back millions of objects one by one takes seconds."""
    for stream in (sys.stdout, sys.stderr) if _CODES else ():
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or there is none
            continue
    if _CODES:
        import os

        os._exit(_CODES[-1])


def _judge(texts: str) -> Callable[[str], bool]:
    from pitfall_lint import touched

    return touched.judge(texts)


def _say_again(out: str, errors: str, code: int) -> int:
    """Print what the same run printed last time."""
    try:
        if errors:
            sys.stderr.write(errors)
            sys.stderr.flush()
        sys.stdout.write(out)
        sys.stdout.flush()
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _record(name: str, arguments: list[str]) -> int:
    """Run, and take down what is printed, for the next time."""
    from pitfall_lint import cache
    from pitfall_lint.cli import run

    cache.RECORDER = recorder = cache.Recorder(name, arguments)
    out, errors = sys.stdout, sys.stderr
    copies = cache.Tee(out), cache.Tee(errors)
    sys.stdout, sys.stderr = copies
    try:
        code = run(arguments)
    finally:
        sys.stdout, sys.stderr = out, errors
    if cache.RECORDER is not None:
        printed = "".join(copies[0].parts)
        recorder.finish(printed, "".join(copies[1].parts), code)
        if code == 0 and recorder.glance is not None:
            recorder.glance(printed)
    return code


if __name__ == "__main__":
    main()
