"""The entry point: answers what needs nothing at once, and hands the rest to the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from pitfall_lint import __version__

        print(f"pitfall-lint {__version__}")
        return
    from pitfall_lint.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
