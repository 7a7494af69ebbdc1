"""`pitfall-lint completion`: what a shell needs to complete commands, options and rules."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> int:
    """Print the completion script of a shell, for instance for `eval "$(pitfall-lint completion bash)"`."""
    from pitfall_lint.cli import group

    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"no completion for {shell}")
    complete = kind(group, {}, "pitfall-lint", "_PITFALL_LINT_COMPLETE")
    # bash's version check of click starts a shell; the script itself works with bash 4.4 and newer.
    click.echo(complete.source_template % complete.source_vars())
    return 0
