"""The command line: `check` is what runs when no command is named."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

_COMMANDS = {
    "check": "Look for pitfalls, and mend them with --fix (the default command).",
    "explain": "Explain a rule, or find the rule behind a run-time error.",
    "diagnose": "Find, from a traceback or log, the place in the code and its fix.",
    "rules": "List all rules.",
    "init": "Write settings that fit this project, and what ruff and pre-commit need.",
    "libraries": "Check library rows, your own and those of installed packages.",
    "routes": "Print the paths that a project registers, prefixes and mounts joined.",
    "server": "Serve an editor over the language server protocol.",
    "completion": "Print the completion script of a shell.",
}
_MODULES = {
    "check": "check",
    "explain": "explain",
    "diagnose": "diagnose",
    "rules": "rules",
    "init": "init",
    "libraries": "libraries",
    "routes": "routes",
    "server": "server",
    "completion": "completion",
}


class Commands(click.Group):
    """Commands that are imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(f"{__name__}.{_MODULES[cmd_name]}")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of what names no command."""
        own = {name for option in self.params for name in option.opts} | {"--help", "-h"}
        if not args and not ctx.resilient_parsing:
            args = ["check"]
        elif args and args[0] not in _COMMANDS and args[0] not in own:
            args = ["check", *args]
        args = ["--add-noqa=" if arg == "--add-noqa" else arg for arg in args]  # its value is never a word apart
        args = ["--timing=text" if arg == "--timing" else arg for arg in args]
        if "--write-baseline" in args:
            at = args.index("--write-baseline")
            word = args[at + 1] if at + 1 < len(args) else ""
            if not word.endswith(".txt"):  # it is a path to lint, not the file to write
                args[at : at + 1] = ["--write-baseline="]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and what `check` takes."""
        found = super().shell_complete(ctx, incomplete)
        check = self.get_command(ctx, "check")
        if check is not None:
            inner = check.make_context("check", [], parent=ctx, resilient_parsing=True)
            known = {item.value for item in found}
            found += [item for item in check.shell_complete(inner, incomplete) if item.value not in known]
        return found


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from pitfall_lint import __version__

        click.echo(f"pitfall-lint {__version__}")
        ctx.exit()


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 clean, 1 findings left, 2 the run could not be done.",
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
def group(**options: Any) -> None:
    """Find, and mend, the pitfalls of asyncio tasks, sessions, event loops, proxies and URL paths.

    \b
    pitfall-lint src/                       look
    pitfall-lint --fix src/                 mend what is safe to mend
    pitfall-lint --fix --unsafe-fixes src/  mend what a person should look at afterwards
    pitfall-lint --diff src/                show what would be mended, and what stays
    pitfall-lint explain PIT301             read a rule's page
    pitfall-lint explain "Session is closed"
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code."""
    from pitfall_lint.cli import output

    output.prepare()
    gc.freeze()  # what was imported stays
    gc.set_threshold(20_000, 5, 4)  # trees are large: collecting seldom would cost more memory than time
    gc.enable()
    try:
        code = group.main(args=list(arguments), prog_name="pitfall-lint", standalone_mode=False)
        sys.stdout.flush() if sys.stdout else None
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        error.show()
        return 2
    except click.ClickException as error:
        output.complain(error.format_message())
        return 2
    except (click.Abort, KeyboardInterrupt):
        output.complain("interrupted")
        return 130
    except click.exceptions.Exit as error:
        return error.exit_code
    except output.Stopped as stopped:
        return stopped.code
    except BrokenPipeError:
        output.give_up()
        return 1
    except OSError as error:
        output.complain(error.strerror or str(error))
        output.give_up()
        return 2
    except Exception as error:
        if os.environ.get("PITFALL_LINT_DEBUG") or "--verbose" in arguments or "-v" in arguments:
            raise
        reason = str(error).partition("\n")[0]
        output.complain(f"internal error: {type(error).__name__}: {reason} (run with --verbose for the traceback)")
        return 2


def nearest_command(word: str) -> str:
    """Return a hint when a path that does not exist looks like a mistyped command."""
    import difflib

    near = difflib.get_close_matches(word, list(_COMMANDS), 1)
    return f"; did you mean the command {near[0]!r}?" if near and os.sep not in word else ""
