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


FIRST = (
    "import asyncio\nimport time\n\n\ndef poll():\n    time.sleep(1)\n\n\nasync def main():\n    {}\n\n\n"
    "def run():\n    asyncio.run(main())\n\n\nasync def other():\n    asyncio.create_task(asyncio.sleep(1))\n"
)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("poll()\n    await other()", 0),
        ("await other()\n    poll()", 1),
        ("while True:\n        poll()\n        await other()", 1),
    ],
)
def test_before_the_first_await_nothing_else_is_there(tmp_path: Path, body: str, told: int) -> None:
    text = FIRST.format(body)
    (tmp_path / "main.py").write_text(text, "utf-8")
    source = Source(str(tmp_path / "main.py"), text.encode())
    found = [each.code for each in lint_source(source, rules().select(), project(tmp_path))]
    assert found.count("PIT209") == told


APART = Path(__file__).parent / "fixtures" / "projects" / "blocks_the_loop__thread_alone" / "manager.py"


def test_alone_on_a_loop_of_its_own(tmp_path: Path) -> None:
    text = APART.read_text("utf-8")
    for spoken, told in ((text, 0), (text.replace("await asyncio.sleep(1)", "await asyncio.gather(self.other())"), 1)):
        (tmp_path / "manager.py").write_text(spoken, "utf-8")
        source = Source(str(tmp_path / "manager.py"), spoken.encode())
        found = [each.code for each in lint_source(source, rules().select(), project(tmp_path))]
        assert found.count("PIT209") == told
