"""Typing latency: from didChange to the published diagnostics, ours against `ruff server` on the same edits.

    python bench/typing_latency.py [--edits 200] [--memory 10000]

Prints median and 95th percentile of both in the same run, their ratio, and how much our memory grew.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FINDINGS, LINES = 10, 2000


def text() -> str:
    """Return a file of 2,000 lines with ten findings of ours and ten of ruff's."""
    pieces = ["import asyncio\n\n\nasync def save(item):\n    raise OSError(item)\n\n\n"]
    for number in range(FINDINGS):
        pieces.append(f"async def lose_{number}(item):\n    asyncio.create_task(save(item))\n    unused = item.x\n\n\n")
    number = 0
    while sum(piece.count("\n") for piece in pieces) < LINES:
        number += 1
        names = ", ".join(f"value_{i}" for i in range(12))
        body = "".join(f"    value_{i} = item.field_{i} + {i} if item else other({i})\n" for i in range(12))
        pieces.append(
            f"def plain_{number}(item, other):\n    '''Do something with an item.'''\n{body}    return [{names}]\n\n\n"
        )
    return "".join(pieces)


class Server:
    """A language server on pipes, driven with the least that is needed."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )
        self.uri = (folder / "typed.py").as_uri()
        self.version = 1
        self.id = 0
        self.request("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        self.notify("initialized", {})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()).strip() != b"" or not length:
            if not line:
                raise SystemExit(f"{self.process.args[0]!r} ended: {self.process.poll()}")
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "method" in message and "id" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def request(self, method: str, params: Any) -> Any:
        self.id += 1
        self.send({"id": self.id, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.id or "method" in message:
            pass
        return message.get("result")

    def notify(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    def published(self) -> int:
        while True:
            message = self.receive()
            if message.get("method") == "textDocument/publishDiagnostics":
                if message["params"].get("version") in (None, self.version):
                    return len(message["params"]["diagnostics"])

    def open(self, content: str) -> int:
        document = {"uri": self.uri, "languageId": "python", "version": 1, "text": content}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return self.published()

    def edit(self, line: int, character: int, new: str, removed: int = 0) -> float:
        """Make an edit and return the milliseconds until the diagnostics for it came."""
        self.version += 1
        start = {"line": line, "character": character}
        end = {"line": line, "character": character + removed}
        started = time.perf_counter()
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self.uri, "version": self.version},
                "contentChanges": [{"range": {"start": start, "end": end}, "text": new}],
            },
        )
        self.published()
        return (time.perf_counter() - started) * 1000

    def memory(self) -> int:
        """Return the resident kilobytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def stop(self) -> None:
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.wait(20)


PLACES = {"a function without findings": "    return [", "a function with a finding": "    unused = item.x"}


def typed(server: Server, content: str, edits: int, start: str = "    return [") -> list[float]:
    """Type and delete a word, letter by letter, at the end of a line, and return the latencies."""
    lines = content.splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith(start)]
    line = found[len(found) // 2]
    word, times = " + extra", []
    while len(times) < edits:
        at = len(lines[line])
        for number, char in enumerate(word):
            times.append(server.edit(line, at + number, char))
        for number in reversed(range(len(word))):
            times.append(server.edit(line, at + number, "", 1))
    return times[:edits]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=160)
    parser.add_argument("--memory", type=int, default=0, metavar="EDITS")
    options = parser.parse_args()
    content = text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = {"pitfall-lint": [sys.executable, "-m", "pitfall_lint", "server"]}
        if ruff := shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff"):
            commands["ruff"] = [ruff, "server"]
        medians: dict[tuple[str, str], float] = {}
        for tool, command in commands.items():
            server = Server(command, folder)
            count = server.open(content)
            for place, start in PLACES.items():
                typed(server, content, 32, start)
                times = typed(server, content, options.edits, start)
                medians[tool, place] = statistics.median(times)
                p95 = statistics.quantiles(times, n=20)[-1]
                print(
                    f"{tool:13}{count:3} findings  median {medians[tool, place]:6.1f}  95 % {p95:6.1f} ms  in {place}"
                )
            if options.memory and tool == "pitfall-lint":
                watch_memory(server, content, options.memory)
            server.stop()
        for place in PLACES if "ruff" in commands else ():
            ratio = medians["pitfall-lint", place] / medians["ruff", place]
            print(f"ratio of the medians: {ratio:.1f} in {place}")


def watch_memory(server: Server, content: str, edits: int) -> None:
    """Make many edits, in turns of a hundred at each place, and print how much the server's memory grew."""
    before, done, marks = server.memory(), 0, []
    while done < edits:
        for start in PLACES.values():
            done += len(typed(server, content, min(100, edits - done), start)) if done < edits else 0
        marks.append(server.memory())
    shown = ", ".join(f"{mark / 1024:.0f}" for mark in marks[:: max(len(marks) // 10, 1)])
    growth = (marks[-1] - before) / before
    print(f"{edits} edits: {before / 1024:.1f} MB -> {marks[-1] / 1024:.1f} MB ({growth:+.1%}); on the way {shown}")


if __name__ == "__main__":
    main()
