#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Usage: coverage.py OBJECTS COUNTS SOURCE REASONS

The report of tools/integrate/coverage. OBJECTS is where the compiler left its
.gcno files, COUNTS where the .gcda files are that the kernel gave, SOURCE the
kernel's source, and REASONS a file that says which lines need not be executed.

Each line of REASONS is

    file:function | text | reason

and excuses those lines of the function that hold the text and were not
executed; the text * is any. Exits with 1 if less than 90 % of the lines were
executed, if one was not and has no reason, or if an entry of REASONS is about a
line that does not exist. Lines that only a race executes need a reason for when
it was not.
"""

import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

GOAL = 90
DIRECTORY = "drivers/accel/core/"


class Reason:
    def __init__(self, where, text, reason):
        self.where, self.text, self.reason = where, text, reason
        self.exists = False

    def is_about(self, where, text):
        if self.where != where or (self.text != "*" and self.text not in text):
            return False
        self.exists = True
        return True


def read_reasons(path):
    reasons = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) != 3 or not all(parts) or ":" not in parts[0]:
            sys.exit(f"{path}:{number}: not 'file:function | text | reason'")
        reasons.append(Reason(*parts))
    return reasons


def run_gcov(objects, counts):
    """Yields what gcov has to say about each object that could count."""
    with tempfile.TemporaryDirectory() as scratch:
        for notes in sorted(objects.glob("*.gcno")):
            shutil.copy(notes, scratch)
            data = counts / (notes.stem + ".gcda")
            # Without counts, nothing of it was executed.
            if data.exists():
                shutil.copy(data, scratch)
            out = subprocess.run(["gcov", "--json-format", "--stdout", notes.name],
                                 cwd=scratch, check=True, stdout=subprocess.PIPE)
            yield json.loads(out.stdout)


def collect(objects, counts):
    """How often each line was executed: {file: {line: (count, function)}}."""
    files = collections.defaultdict(dict)
    for result in run_gcov(objects, counts):
        for file in result["files"]:
            _, found, name = file["file"].partition(DIRECTORY)
            if not found:
                continue
            lines = files[name]
            for line in file["lines"]:
                number = line["line_number"]
                before, function = lines.get(number, (0, None))
                # Of nested functions, the one that gcov names is the innermost.
                lines[number] = (before + line["count"],
                                 line.get("function_name") or function or "?")
    return files


def percent(executed, total):
    return 100 * executed / total if total else 100.0


def report(files, source, reasons):
    """Prints the report; returns how many lines were missed without a reason."""
    missed, all_lines, all_executed = [], 0, 0
    print(f"{'file':24} {'lines':>6} {'executed':>9} {'%':>7}")
    for name in sorted(files):
        lines = files[name]
        executed = sum(1 for count, _ in lines.values() if count)
        print(f"{name:24} {len(lines):6} {executed:9} {percent(executed, len(lines)):7.1f}")
        all_lines += len(lines)
        all_executed += executed
        text = (source / DIRECTORY / name).read_text().splitlines()
        for number, (count, function) in sorted(lines.items()):
            line = text[number - 1].strip()
            about = [r for r in reasons if r.is_about(f"{name}:{function}", line)]
            if not count:
                missed.append((f"{name}:{number}: {function}: {line}", about))
    total = percent(all_executed, all_lines)
    print(f"{'total':24} {all_lines:6} {all_executed:9} {total:7.1f}")

    unexplained = []
    print("\nnot executed, for a reason:")
    for line, about in missed:
        if about:
            print(f"  {line}\n      {about[0].reason}")
        else:
            unexplained.append(f"  {line}")
    if unexplained:
        print("\nnot executed, and no reason given:", *unexplained, sep="\n")
    return total, len(missed), len(unexplained)


def main():
    if len(sys.argv) != 5:
        print(__doc__)
        return sys.argv[1:] not in (["-h"], ["--help"])
    objects, counts, source, reason_file = map(pathlib.Path, sys.argv[1:])
    reasons = read_reasons(reason_file)
    files = collect(objects, counts)
    if not files:
        sys.exit(f"coverage.py: nothing in {objects} was compiled to count")

    total, missed, unexplained = report(files, source, reasons)
    stale = [reason for reason in reasons if not reason.exists]
    for reason in stale:
        print(f"\nreason without a line: {reason.where} | {reason.text} | {reason.reason}")
    print(f"\n{total:.1f} % of lines, {missed} not executed, {unexplained} of them without a reason,"
          f" {len(stale)} reasons without a line")
    return total < GOAL or unexplained or stale != []


if __name__ == "__main__":
    sys.exit(bool(main()))
