#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Usage: tap.py [--help] <KTAP

Reads KTAP, or TAP, of any depth from standard input while it is written, and
prints a line for each test that has no tests below it, then the line
"N passed, N failed", with ", N skipped" if there were any. Exits with 1 if
anything failed.

A test that a plan announced and that did not report has failed. So has a group
that reports no test, and one that says "not ok" though none of its tests did:
its program crashed or returned an error.

Lines "# tally: N WHAT" are added up over all tests and printed before the last
line.
"""

import collections
import re
import signal
import sys

VERSION = re.compile(r"( *)K?TAP version \d+$")
NAME = re.compile(r"( *)# Subtest: (.*)$")
PLAN = re.compile(r"( *)1\.\.(\d+)(?: *# *SKIP *(.*))?$")
RESULT = re.compile(r"( *)(not )?ok\b *\d*(?: -)? *([^#]*?)(?: *# *(SKIP\b)? *(.*))?$")
TALLY = re.compile(r" *# tally: (\d+) (.+)$")
CONTEXT_LINES = 30
SILENCE_SECONDS = 30


class Group:
    """The tests that report with the same indentation, below one parent."""

    def __init__(self, indent):
        self.indent = indent
        self.name = ""
        self.planned = None
        self.seen = 0
        # Of these tests and all below them.
        self.counts = collections.Counter()


class Report:
    def __init__(self):
        self.groups = [Group(0)]
        self.tallies = collections.Counter()
        # What was printed since the last result, to explain a failure.
        self.context = collections.deque(maxlen=CONTEXT_LINES)

    def count(self, verdict, name, reason="", number=1):
        for group in self.groups:
            group.counts[verdict] += number
        if verdict == "FAIL":
            for line in self.context:
                print("      | " + line)
        print(f"{verdict:5} {self.path(name) or 'all tests'}" + (f": {reason}" if reason else ""), flush=True)
        self.context.clear()

    def path(self, name=""):
        return "/".join(filter(None, [group.name for group in self.groups] + [name]))

    def check_plan(self):
        group = self.groups[-1]
        if group.planned is None:
            if group.seen:
                self.count("FAIL", "", "no plan says how many tests there are")
        elif group.seen < group.planned:
            missing = group.planned - group.seen
            self.count("FAIL", "", f"{missing} of {group.planned} did not report", missing)

    def enter(self, indent):
        """Makes the group of this indentation the last; returns its child if one ended."""
        child = None
        while self.groups[-1].indent > indent:
            self.check_plan()
            child = self.groups.pop()
        if self.groups[-1].indent < indent:
            self.groups.append(Group(indent))
        return child

    def version(self, indent):
        """Reports may follow each other in one group, each with its own plan."""
        self.enter(indent)
        group = self.groups[-1]
        if group.seen:
            self.check_plan()
            group.planned, group.seen = None, 0

    def plan(self, indent, number, skip_reason):
        self.enter(indent)
        self.groups[-1].planned = number
        if number == 0 and skip_reason is not None:
            self.count("SKIP", "", skip_reason)

    def result(self, indent, failed, name, skip, comment):
        # KUnit of 6.12 announces no plan for the parameters of a case: that its
        # result has come says that they all have.
        if len(self.groups) > 1 and self.groups[-2].indent <= indent < self.groups[-1].indent:
            if self.groups[-1].planned is None:
                self.groups[-1].planned = self.groups[-1].seen
        child = self.enter(indent)
        self.groups[-1].seen += 1
        if child and not child.counts:
            self.count("FAIL", name, comment or "no test reported")
        elif child:
            if failed and not child.counts["FAIL"]:
                self.count("FAIL", name, comment or "failed, though none of its tests did")
        elif failed:
            self.count("FAIL", name, comment)
        elif skip:
            self.count("SKIP", name, comment)
        else:
            self.count("ok", name)

    def line(self, line):
        if m := VERSION.match(line):
            self.version(len(m[1]))
        elif m := NAME.match(line):
            self.enter(len(m[1]))
            self.groups[-1].name = m[2]
        elif m := PLAN.match(line):
            self.plan(len(m[1]), int(m[2]), m[3])
        elif m := RESULT.match(line):
            self.result(len(m[1]), bool(m[2]), m[3], m[4], m[5] or "")
        elif m := TALLY.match(line):
            self.tallies[m[2]] += int(m[1])
        else:
            self.context.append(line)

    def end(self):
        self.enter(0)
        self.check_plan()
        counts = self.groups[0].counts
        if not counts:
            self.count("FAIL", "", "no test reported")
        for what, number in self.tallies.items():
            print(f"tried: {number} {what}")
        print(f"{counts['ok']} passed, {counts['FAIL']} failed"
              + (f", {counts['SKIP']} skipped" if counts["SKIP"] else ""))
        return counts["FAIL"] > 0


def main():
    if len(sys.argv) > 1:
        print(__doc__)
        return sys.argv[1] not in ("-h", "--help")
    sys.stdin.reconfigure(errors="replace")
    report = Report()

    def waiting(*_):
        print(f"      no output for {SILENCE_SECONDS} s: {report.path()}", flush=True)
        signal.alarm(SILENCE_SECONDS)

    signal.signal(signal.SIGALRM, waiting)
    signal.alarm(SILENCE_SECONDS)
    for line in sys.stdin:
        signal.alarm(SILENCE_SECONDS)
        report.line(line.rstrip("\n"))
    signal.alarm(0)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
