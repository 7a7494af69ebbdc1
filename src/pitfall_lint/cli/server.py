"""`pitfall-lint server`: the language server, on standard input and output."""

from __future__ import annotations

import logging
import sys

import click

MISSING = "the language server needs the extra `lsp`: pip install 'pitfall-lint[lsp]'"


@click.command("server", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stdio", is_flag=True, help="Talk over standard input and output (the default).")
@click.option("--log-level", type=click.Choice(("error", "warning", "info", "debug")), default="warning")
@click.option("--log-file", type=click.Path(dir_okay=False), help="Where to log (default: standard error).")
def command(stdio: bool, log_level: str, log_file: str | None) -> int:
    """Serve an editor: findings while they are typed, their pages on hover, fixes with one key."""
    try:
        from pitfall_lint.server import features
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol", "cattrs", "attrs", "attr"}:
            raise
        raise click.ClickException(MISSING) from None
    logging.basicConfig(
        level=log_level.upper(),
        format="%(levelname)s %(name)s: %(message)s",
        **({"filename": log_file, "encoding": "utf-8"} if log_file else {"stream": sys.stderr}),
    )
    if log_level != "debug":
        logging.getLogger("pygls").setLevel(logging.ERROR)
    server = features.create()
    server.start_io()
    sys.stdout = None  # the client closed it
    return 0 if server.was_shut_down else 1
