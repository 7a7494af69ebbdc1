"""What is true of a test's own loop and clients, but hurts no user, is told in the strict set alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import project, rules

from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

BLOCKS = "import time\n\n\ndef poll():\n    time.sleep(1)\n\n\nasync def test_poll(client):\n    poll()\n"
LEAKS = (
    "import httpx\n\n\nasync def test_get(url):\n    client = httpx.AsyncClient()\n    print(await client.get(url))\n"
)


@pytest.mark.parametrize(("path", "told"), [("app/main.py", 1), ("tests/main.py", 0), ("app/test_main.py", 0)])
@pytest.mark.parametrize(("code", "text"), [("PIT209", BLOCKS), ("PIT406", LEAKS)])
def test_tests_are_left_alone(tmp_path: Path, path: str, told: int, code: str, text: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text, "utf-8")
    source = Source(str(tmp_path / path), text.encode())
    assert len(lint_source(source, rules().select(), project(tmp_path))) == told
    assert len(lint_source(source, rules().select([code]), project(tmp_path))) == 1
