"""Precision by reading: `python bench/precision.py` prints by rule how many of the findings that were read are right.

The labels are facts in `bench/precision/FAMILY.jsonl`, one finding of one version of one package a line; how they were
read stands in `bench/precision/README.md`. With `--run FOLDER` the tool runs over the unpacked packages below a folder,
and its findings are joined with the labels: what is new has to be read. `--get FOLDER` unpacks the packages that
were read.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent / "precision"
RULES = HERE.parent.parent / "rules"
FAMILIES = {"1": "paths", "2": "loops", "3": "tasks", "4": "sessions", "5": "proxies"}
VERDICTS = ("right", "wrong", "unsure")
ROUNDS = {
    "fifth": "as it was the fifth time",
    "fourth": "as it was the fourth time",
    "third": "as it was the third time",
    "second": "as it was the second time",
    "first": "as it was",
}
"""The rounds of reading what nobody had looked at, newest first, and how pages speak of a rule in older ones."""
_HEADING = re.compile(r"# [a-z0-9-]+ \((?P<code>PIT\d{3})\)")
_FIGURE = re.compile(r"^Read: \d+ finding[^\n]*\n(?:[^\n]+\n)*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Label:
    """What somebody who read a finding says of it."""

    package: str
    version: str
    file: str
    line: int
    rule: str
    verdict: str
    reason: str = ""
    set: str = "default"
    mended: bool = False
    """A wrong one that the tool doesn't report any more."""

    @property
    def place(self) -> tuple[str, str, str, str, int]:
        """What a finding is joined by."""
        return (_normal(self.package), self.version, self.file, self.rule, self.line)


@dataclass
class Tally:
    """The figures of one rule."""

    right: int = 0
    wrong: int = 0
    mended: int = 0
    unsure: int = 0

    def add(self, label: Label) -> None:
        """Count one label."""
        setattr(self, label.verdict, getattr(self, label.verdict) + 1)
        self.mended += label.verdict == "wrong" and label.mended

    @property
    def read(self) -> int:
        """How many findings were read."""
        return self.right + self.wrong + self.unsure

    def share(self, wrong: int) -> str:
        """Return the share of right ones among the decided ones."""
        decided = self.right + wrong
        return f"{100 * self.right / decided:.1f} %" if decided else "–"


def labels() -> list[Label]:
    """Return all labels. Raises ValueError where a line is no label or a finding has two."""
    found: dict[tuple[str, str, str, str, int], Label] = {}
    for path in sorted(HERE / f"{family}.jsonl" for family in FAMILIES.values()):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                label = Label(**json.loads(line))
                if label.verdict not in VERDICTS:
                    raise ValueError(f"{label.verdict!r} is no verdict")
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path.name}:{number}: {error}") from None
            if found.setdefault(label.place, label) is not label:
                raise ValueError(f"{path.name}:{number}: this finding has a label already")
    return list(found.values())


def packages(role: str = "") -> dict[tuple[str, str], dict[str, str]]:
    """Return what is known of the packages that were read, all or those whose role begins so, by name and version."""
    lines = (HERE / "packages.jsonl").read_text("utf-8").splitlines()
    known = [json.loads(line) for line in lines]
    return {(_normal(each["package"]), each["version"]): each for each in known if each["role"].startswith(role)}


def table(chosen: Iterable[Label], title: str) -> str:
    """Return the figures by rule as Markdown."""
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    where: defaultdict[str, set[str]] = defaultdict(set)
    for label in chosen:
        for row in (label.rule, f"all of {FAMILIES[label.rule[3]]}", "all"):
            tallies[row].add(label)
            where[row].add(label.package)
    rows = [
        f"### {title}",
        "",
        "| rule | packages | right | wrong | unsure | when first read | wrong ones mended | now |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row, tally in sorted(tallies.items(), key=lambda item: (not item[0].startswith("PIT"), item[0] == "all", item)):
        cells = (len(where[row]), tally.right, tally.wrong, tally.unsure, tally.share(tally.wrong), tally.mended)
        rows.append(f"| {row} | {' | '.join(map(str, cells))} | {tally.share(tally.wrong - tally.mended)} |")
    return "\n".join([*rows, ""])


def unpacked(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield name, version and folder of the packages below a folder, by their metadata or else `name-version`."""
    for path in (folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())):
        infos = [*path.glob("*.dist-info/METADATA"), *path.glob("*/PKG-INFO")]
        if not infos:
            if path != folder and (match := re.fullmatch(r"(.+?)-(\d[^-]*)", path.name)):
                yield match[1], match[2], path
            continue
        text = infos[0].read_text("utf-8", errors="replace")
        name, version = (re.search(rf"^{key}: *(\S+)", text, re.MULTILINE) for key in ("Name", "Version"))
        if name and version:
            yield name[1], version[1], infos[0].parent if infos[0].name == "PKG-INFO" else path


def get(folder: Path) -> None:
    """Get every package that was read from PyPI, at the version that was read, wheel or else sources."""
    for each in packages().values():
        target = folder / f"{each['package']}-{each['version']}"
        if target.is_dir() or each.get("source"):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch)
            pinned = f"{each['package']}=={each['version']}"
            if subprocess.run([*pip, "--python-version=3.12", "--only-binary=:all:", pinned]).returncode:
                subprocess.run([*pip, "--no-build-isolation", "--no-binary=:all:", pinned])
            for archive in Path(scratch).iterdir():
                if archive.suffix == ".whl":
                    zipfile.ZipFile(archive).extractall(target)
                else:
                    with tarfile.open(archive) as sources:
                        sources.extractall(target, filter="data")
        print(pinned if target.is_dir() else f"{pinned}: not to be had", flush=True)


def findings(package: str, version: str, folder: Path, seconds: float, raw: Path | None) -> list[dict[str, object]]:
    """Run the default rules over one package; return labels without verdict. Raises TimeoutExpired, OSError."""
    kept = raw / f"{package}-{version}.json" if raw else None
    if kept and kept.is_file():
        answer = kept.read_text("utf-8")
    else:
        command = (sys.executable, "-m", "pitfall_lint", "check", "--isolated", "--no-cache", "--exit-zero", "--quiet")
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}  # a package may have a `types.py`
        run = subprocess.run(
            [*command, "--output-format=json", "."],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        if run.returncode:
            raise OSError(f"{package} {version}: {run.stderr.strip()}")
        answer = run.stdout
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(answer, "utf-8")
    return [
        {
            "package": package,
            "version": version,
            "file": Path(os.path.relpath(found["filename"], folder)).as_posix(),
            "line": found["location"]["row"],
            "rule": found["code"],
            "message": found["message"],
        }
        for found in json.loads(answer)
        if found["code"][3] in FAMILIES
    ]


def run(folder: Path, seconds: float, raw: Path | None) -> bool:
    """Run the tool, join, and print; return whether every finding has a label and no mended one came back."""
    known, all_packages = {label.place: label for label in labels()}, packages()
    seen: list[Label] = []
    fresh: list[dict[str, object]] = []
    ran: set[tuple[str, str]] = set()
    for package, version, path in unpacked(folder):
        try:
            found = findings(package, version, path, seconds, raw)
        except (subprocess.TimeoutExpired, OSError) as error:
            print(f"{package} {version}: left out, {type(error).__name__}: {error}", file=sys.stderr)
            continue
        ran.add((_normal(package), version))
        for each in found:
            place = (_normal(package), version, each["file"], each["rule"], each["line"])
            left_out = all_packages.get(place[:2], {}).get("without", "")
            if label := known.get(place):  # type: ignore[arg-type]
                seen.append(label)
            elif not left_out or FAMILIES[str(each["rule"])[3]] != left_out:
                fresh.append(each)
        print(f"{package} {version}: {len(found)}", file=sys.stderr, flush=True)
    places = {label.place for label in seen}
    due = [label for label in known.values() if (_normal(label.package), label.version) in ran]
    gone = [label for label in due if label.place not in places and label.set == "default" and not label.mended]
    back = [label for label in seen if label.mended]
    print(table(seen, f"findings of today with a label, {len(ran)} packages"))
    for title, lines in (
        ("no label yet: read them", [json.dumps(each) for each in fresh]),
        ("a label and no finding any more", [_line(label) for label in gone]),
        ("called mended, and found", [_line(label) for label in back]),
    ):
        print(f"### {title}: {len(lines)}", *lines, "", sep="\n")
    return not fresh and not back


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the rules' pages with the text that they should have: the figure as the last lines of "Known limits"."""
    by_rule: defaultdict[str, list[Label]] = defaultdict(list)
    for label in labels():
        if label.set == "default":
            by_rule[label.rule].append(label)
    for page in sorted(RULES.glob("*/*.md")):
        text = page.read_text("utf-8")
        heading = _HEADING.match(text)
        if heading is None or heading["code"][3] not in FAMILIES:
            continue
        text = _FIGURE.sub("", text).rstrip("\n") + "\n"
        if found := figure(by_rule[heading["code"]]):
            if "## Known limits" not in text:
                text += "\n## Known limits\n"
            gap = "" if text.endswith("## Known limits\n") else "\n"
            text += f"{gap}{found}\n"
        yield page, text


def figure(found: Iterable[Label]) -> str:
    """Return what a page says of the findings that were read; nothing where there is none."""
    rounds = {group: packages(f"unseen, {group}") for group in ROUNDS}
    groups: dict[str, Tally] = {group: Tally() for group in (*rounds, "before")}
    where = set()
    for label in found:
        groups[next((group for group, chosen in rounds.items() if label.place[:2] in chosen), "before")].add(label)
        where.add(label.package)
    if not where:
        return ""
    lines = [f"Read: {_findings(groups.values())} in {len(where)} of {len(packages())} packages."]
    newest = next((group for group in ROUNDS if groups[group].read and group != "first"), "")
    for group, tally in groups.items():
        if tally.read:
            was = "as it is" if group == newest else ROUNDS.get(group, "")
            where_read = f"Where nobody had looked before, with the rule {was}" if was else "Where the rule was made"
            lines.append(f"{where_read}: {_verdicts(tally)}.")
    return "\n".join(lines)


def _findings(tallies: Iterable[Tally]) -> str:
    count = sum(tally.read for tally in tallies)
    return f"{count} finding{'s' * (count != 1)}"


def _verdicts(tally: Tally) -> str:
    mended = f" ({tally.mended} of them mended since)" if tally.mended else ""
    return f"{tally.right} right, {tally.wrong} wrong{mended}, {tally.unsure} unsure"


def _line(label: Label) -> str:
    return f"{label.package} {label.version} {label.file}:{label.line} {label.rule} {label.verdict} {label.reason}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Print the tables; 1 when a run found something that nobody has read yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--run", type=Path, metavar="FOLDER", help="run the default rules over the packages below FOLDER"
    )
    parser.add_argument("--get", type=Path, metavar="FOLDER", help="get the packages that were read from PyPI")
    parser.add_argument(
        "--raw", type=Path, metavar="FOLDER", help="keep the findings of --run here, and take them again"
    )
    parser.add_argument("--seconds", type=float, default=300, help="how long one package may take")
    parser.add_argument("--write-pages", action="store_true", help="put the figures into the pages of the rules")
    options = parser.parse_args()
    if options.get:
        get(options.get)
    if options.write_pages:
        for page, text in pages():
            page.write_text(text, "utf-8")
    if options.run:
        return 0 if run(options.run, options.seconds, options.raw) else 1
    read = [label for label in labels() if label.set == "default"]
    for role, title in (
        ("unseen, first", "packages not seen before"),
        ("unseen, second", "other packages not seen before, with what the first had taught"),
        ("unseen, third", "others again, read for the rules that the second had found wanting"),
        ("unseen, fourth", "others again, drawn by lot, with what the third had taught"),
        ("unseen, fifth", "others again, drawn by lot, with what the fourth had taught"),
        ("", "all packages, default rules"),
    ):
        chosen = packages(role)
        found = [each for each in read if (_normal(each.package), each.version) in chosen]
        print(table(found, f"{title}: {len(chosen)}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
