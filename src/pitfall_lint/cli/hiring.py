"""`--executor dask://host:port`: closer looks on a cluster, which needs pitfall-lint there and nothing of the tree."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from concurrent.futures import Executor

import click

_PATIENCE = 10
"""Seconds that a scheduler may take to answer."""


@contextlib.contextmanager
def hired(address: str) -> Iterator[Executor]:
    """Give the executor of an address. Raises click.ClickException when there is none, in a sentence that helps."""
    scheme, found, place = address.partition("://")
    if scheme != "dask" or not found or not place:
        raise click.BadParameter(f"{address!r} must be dask://HOST:PORT", param_hint="--executor")
    try:
        from distributed import Client
    except ImportError:
        message = "--executor dask://… needs an extra: pip install 'pitfall-lint[dask]'"
        raise click.ClickException(message) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is told below, in one line
    try:
        client = Client(f"tcp://{place}", timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise click.ClickException(f"no Dask scheduler answers at {place}: {reason}") from None
    try:
        if not client.scheduler_info()["workers"]:
            raise click.ClickException(f"the Dask scheduler at {place} has no workers")
        yield client.get_executor()
    finally:
        client.close(timeout=_PATIENCE)
