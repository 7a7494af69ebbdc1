"""Fixing: fixes that don't get in each other's way, to a fixed point, and no byte changed that need not be."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from evidence import FIXTURES, project, rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pitfall_lint import fixing
from pitfall_lint.finding import Applicability, Edit, Finding, Fix, Span
from pitfall_lint.fixing import diff, fix_source, splice, write_atomically
from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY


def finding(
    *edits: tuple[int, int, str], code: str = "PIT999", grade: Applicability = SAFE, message: str = "bad"
) -> Finding:
    parts = tuple(Edit(Span(start, end), text) for start, end, text in edits)
    return Finding("a.py", parts[0].span, message, code, "x", fixes=(Fix("mend", parts, grade),))


def words(mapping: dict[str, str], import_: str = "") -> Callable[[Source], list[Finding]]:
    """Return a linter that wants words replaced, and perhaps an import for each."""

    def lint(source: Source) -> list[Finding]:
        found = []
        for word, new in mapping.items():
            for match in re.finditer(rb"(?<!\w)" + word.encode() + rb"(?!\w)", source.data):
                edits = [(match.start(), match.end(), new)]
                if import_ and import_.encode() not in source.data:
                    start = len(source.bom)
                    edits.insert(0, (start, start, f"{import_}{source.newline}"))
                found.append(finding(*edits, message=f"{word} at {match.start()}"))
        return found

    return lint


def test_all_at_once() -> None:
    result = fix_source(Source("a.py", b"x = bad + bad\n"), words({"bad": "good"}))
    assert result.source.data == b"x = good + good\n"
    assert len(result.applied) == 2
    assert not result.remaining
    assert not result.notes


def test_an_import_is_added_once() -> None:
    result = fix_source(Source("a.py", b"x = bad + bad + worse\n"), words({"bad": "m.x", "worse": "m.y"}, "import m"))
    assert result.source.data == b"import m\nx = m.x + m.x + m.y\n"
    assert len(result.applied) == 3


def test_the_same_helper_at_two_places_is_added_once() -> None:
    def lint(source: Source) -> list[Finding]:
        helper = b"def help():" in source.data
        found = []
        for match in re.finditer(rb"bad\(\)", source.data):
            start = source.data.rfind(b"\n", 0, match.start()) + 1
            edits = [(match.start(), match.end(), "help()")]
            if not helper:
                edits.insert(0, (start, start, "def help(): ...\n"))
            found.append(finding(*edits, message=str(match.start())))
        return found

    result = fix_source(Source("a.py", b"bad()\nbad()\n"), lint)
    assert result.source.data == b"def help(): ...\nhelp()\nhelp()\n"


def test_overlapping_fixes_take_turns() -> None:
    def lint(source: Source) -> list[Finding]:
        found = []
        if (at := source.data.find(b"f(g(1))")) >= 0:
            found = [finding((at, at + 7, "h(g(1))")), finding((at + 2, at + 6, "k(1)"))]
        elif (at := source.data.find(b"g(1)")) >= 0:
            found = [finding((at, at + 4, "k(1)"))]
        return found

    assert fix_source(Source("a.py", b"f(g(1))\n"), lint).source.data == b"h(k(1))\n"


def test_unsafe_fixes_need_permission() -> None:
    def lint(source: Source) -> list[Finding]:
        at = source.data.find(b"bad")
        return [finding((at, at + 3, "good"), grade=UNSAFE)] if at >= 0 else []

    source = Source("a.py", b"bad\n")
    kept = fix_source(source, lint)
    assert not kept.changed
    assert len(kept.remaining) == 1
    assert fix_source(source, lint, unsafe=True).source.data == b"good\n"


def test_display_only_fixes_are_never_applied() -> None:
    def lint(source: Source) -> list[Finding]:
        return [finding((0, 3, "good"), grade=DISPLAY)]

    assert not fix_source(Source("a.py", b"bad\n"), lint, unsafe=True).changed


def test_only_wanted_findings() -> None:
    result = fix_source(
        Source("a.py", b"bad + worse\n"),
        words({"bad": "good", "worse": "better"}),
        wanted=lambda finding: finding.message.startswith("worse"),
    )
    assert result.source.data == b"bad + better\n"
    assert len(result.remaining) == 1


def test_a_fix_that_breaks_the_file_is_left_out() -> None:
    result = fix_source(Source("a.py", b"x = bad + worse\n"), words({"bad": "(", "worse": "good"}))
    assert result.source.data == b"x = bad + good\n"
    assert [f.message for f in result.remaining] == ["bad at 4"]
    (note,) = result.notes
    assert note.startswith("a.py:1: the fix of PIT999 was left out: the result does not parse")


@pytest.mark.parametrize("text", [b"x = bad\nreturn\n", b"def broken(:\n    bad\n"])
def test_a_file_that_does_not_compile_is_mended_only_if_libcst_reads_it(text: bytes) -> None:
    result = fix_source(Source("a.py", text), words({"bad": "good"}))
    assert result.changed is (b"broken" not in text)
    assert bool(result.notes) is (b"broken" in text)


def test_await_outside_of_async_counts_as_broken() -> None:
    result = fix_source(Source("a.py", b"def f():\n    bad()\n"), words({"bad": "await good"}))
    assert not result.changed
    assert "outside async function" in result.notes[0]


def test_a_fix_with_overlapping_edits_is_left_out() -> None:
    def lint(source: Source) -> list[Finding]:
        return [finding((0, 3, "x"), (2, 4, "y"))]

    result = fix_source(Source("a.py", b"abcd\n"), lint)
    assert not result.changed
    assert "overlap" in result.notes[0]


def test_what_the_encoding_cannot_hold_is_left_out() -> None:
    source = Source("a.py", b"# coding: latin-1\nx = bad  # \xe9\n")
    result = fix_source(source, words({"bad": "'€'"}))
    assert not result.changed
    assert "iso8859-1" in result.notes[0]


def test_fixes_that_undo_each_other_end() -> None:
    def lint(source: Source) -> list[Finding]:
        swapped = {b"a": "b", b"b": "a"}[source.data[:1]]
        return [finding((0, 1, swapped))]

    result = fix_source(Source("a.py", b"a\n"), lint)
    assert "after 100 rounds" in result.notes[-1]


NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])
ENCODINGS = st.sampled_from(["utf-8", "latin-1", "cp1251", "euc_kr", "utf-8-bom"])


@st.composite
def files(draw: st.DrawFn) -> tuple[Source, int]:
    """A file with some `bad` between arbitrary comments and strings, and how many there are."""
    encoding = draw(ENCODINGS)
    codec = "utf-8" if encoding == "utf-8-bom" else encoding
    newline = draw(NEWLINES)
    filler = st.text(st.characters(codec=codec, exclude_characters="\r\n\0\\\"'"), max_size=12)
    lines = [f"# coding: {codec}"] if codec != "utf-8" else []
    count = 0
    for text in draw(st.lists(filler, max_size=8)):
        kind = draw(st.integers(0, 4))
        count += kind == 0
        lines.append(
            [
                "x = bad  # " + text,
                "# " + text,
                f's = "{text}"',
                "\f\tif x: pass".lstrip("\t") + " # ",
                text.split("x")[0][:0],
            ][kind]
        )
    text = newline.join(lines) + (newline if draw(st.booleans()) else "")
    text = text.replace("# bad", "# b")
    data = text.encode(codec)
    count = len(re.findall(rb"(?<!\w)bad(?!\w)", data))
    return Source("a.py", (b"\xef\xbb\xbf" if encoding == "utf-8-bom" else b"") + data), count


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(files())
def test_other_bytes_stay(sample: tuple[Source, int]) -> None:
    source, _ = sample
    lint = words({"bad": "good"})
    result = fix_source(source, lint)
    if result.notes:
        return
    assert result.source.data == re.sub(rb"(?<!\w)bad(?!\w)", b"good", source.data)
    assert not fix_source(result.source, lint).changed


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_splicing_is_exact(data: bytes, cuts: list[tuple[int, int]]) -> None:
    """What is outside of the edits stays, whatever the bytes are."""
    edits, end = [], 0
    for start, stop in sorted((min(a, b), max(a, b)) for a, b in cuts):
        if start >= end and stop <= len(data) and start < stop:
            edits.append(Edit(Span(start, stop), "é"))
            end = stop
    source = Source("a.py", data)
    try:
        codec = source.encoding
    except ValueError:
        return
    try:
        expected, at = b"", 0
        for edit in edits:
            expected += data[at : edit.span.start] + "é".encode(codec)
            at = edit.span.end
        assert splice(source, edits).data == expected + data[at:]
    except (UnicodeEncodeError, fixing.FixError, LookupError):
        return


ALL_FIXTURES = sorted(p for p in FIXTURES.glob("*/*.py") if "projects" not in p.parts and "seeds" not in p.parts)


@pytest.mark.parametrize("path", ALL_FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_every_rule_at_once_ends(path: Path, newline: bytes) -> None:
    """All fixes of all rules together reach a fixed point; a second run changes nothing; line ends are kept."""
    everything = rules().select(["ALL"])
    source = Source(path.name, path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", newline))

    def lint(text: Source) -> list[Finding]:
        return lint_source(text, everything, project(), on_error=lambda error: None)

    result = fix_source(source, lint, unsafe=True)
    assert not [note for note in result.notes if "rounds" in note]
    assert not fix_source(result.source, lint, unsafe=True).changed
    compile(result.source.data, path.name, "exec", dont_inherit=True)
    if newline == b"\r\n":
        assert not re.search(rb"(?<!\r)\n", result.source.data)


def test_diff() -> None:
    before, after = Source("a.py", b"a\r\nb\r\nlast"), Source("a.py", b"a\r\nc\r\nlast")
    text = diff(before, after)
    assert text == ("--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n a\r\n-b\r\n+c\r\n last\n\\ No newline at end of file\n")
    assert diff(before, before) == ""


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "é\r", "\f"]), max_size=6),
    st.lists(st.sampled_from(["a", "c"]), max_size=6),
    st.booleans(),
)
def test_diff_can_be_applied(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str], ended: bool
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    before = Source("a.py", ("\n".join(old) + "\n" * ended).encode())
    after = Source("a.py", ("\n".join(new) + "\n" * (not ended)).encode())
    text = diff(before, after)
    if not text or not before.data or not after.data:
        return
    (folder / "a.py").write_bytes(before.data)
    subprocess.run(["git", "apply", "-p0", "-"], input=text.encode(), cwd=folder, check=True, capture_output=True)
    assert (folder / "a.py").read_bytes() == after.data


def test_writing_keeps_mode_and_links(tmp_path: Path) -> None:
    real = tmp_path / "real" / "a.py"
    real.parent.mkdir()
    real.write_bytes(b"old")
    real.chmod(0o754)
    link, second = tmp_path / "link.py", tmp_path / "second.py"
    link.symlink_to(real)
    second.symlink_to(link)
    write_atomically(second, b"new\r\n")
    assert real.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o754
    assert link.is_symlink()
    assert second.is_symlink()
    assert os.listdir(real.parent) == ["a.py"]


def test_failed_writing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.py"]


@pytest.mark.parametrize("moment", ["fsync", "chmod", "replace"])
def test_a_killed_process_loses_nothing(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old" * 1000)
    code = f"""
        import os, signal
        from pathlib import Path
        from pitfall_lint.fixing import write_atomically
        os.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_atomically(Path({str(path)!r}), b"new")
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)]).returncode != 0
    assert path.read_bytes() == b"old" * 1000
