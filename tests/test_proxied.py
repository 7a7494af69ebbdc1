"""What the rules on proxies say by default, and what only to those who select them."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import project, rules

from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

LOCAL = "import os\n\nimport httpx\nimport requests\nimport websockets\n\n\n"
CASES = [
    ('def f(url="http://localhost:8000"):\n    return httpx.get(url)\n', True),
    ('def f():\n    return httpx.get(os.environ.get("X", "http://localhost:8000"))\n', True),
    ("def wait_until_ready(url):\n    return requests.get(url)\n", True),
    ('def f():\n    return websockets.connect("ws://localhost:8000")\n', True),
    ('def f():\n    return httpx.get("http://localhost:8000")\n', False),
    ('def f():\n    return os.environ.get("HTTP_PROXY")\n', True),
]


@pytest.mark.parametrize(("text", "strict"), CASES)
def test_strict(text: str, strict: bool) -> None:
    source = Source("module.py", (LOCAL + text).encode())
    assert len(lint_source(source, rules().select(["PIT5"]), project())) == 1
    assert len(lint_source(source, rules().select(), project())) == (0 if strict else 1)


@pytest.mark.parametrize(("version", "count"), [("14.2", 0), ("15.0", 1)])
def test_websockets_ask_since_15(version: str, count: int) -> None:
    source = Source("module.py", (LOCAL + CASES[3][0]).encode())
    found = lint_source(source, rules().select(), project(versions={"websockets": version}))
    assert len(found) == count


def test_ui_launch_is_told_where_the_program_knows_of_proxies(tmp_path: Path) -> None:
    text = "import gradio as gr\n\nfrom helper import x\n\n\ndef f():\n    gr.Blocks().launch()\n"
    (tmp_path / "main.py").write_text(text, "utf-8")
    source = Source(str(tmp_path / "main.py"), text.encode())
    for helper, count in (("x = 1\n", 0), ("import os\n\nx = os.environ.get('http_proxy')\n", 1)):
        (tmp_path / "helper.py").write_text(helper, "utf-8")
        found = lint_source(source, rules().select(), project(tmp_path))
        assert len([f for f in found if f.code == "PIT502"]) == count


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("app/main.py", 1),
        ("app/contest.py", 1),
        ("app/latest/main.py", 1),
        ("tests/main.py", 0),
        ("app/tests/helper.py", 0),
        ("app/test_main.py", 0),
        ("conftest.py", 0),
        ("examples/main.py", 0),
        ("benchmarks/main.py", 0),
    ],
)
def test_files_for_developers_are_left_alone(tmp_path: Path, path: str, told: int) -> None:
    text = LOCAL + CASES[4][0]
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text, "utf-8")
    source = Source(str(tmp_path / path), text.encode())
    assert len(lint_source(source, rules().select(), project(tmp_path))) == told
    assert len(lint_source(source, rules().select(["PIT501"]), project(tmp_path))) == 1
