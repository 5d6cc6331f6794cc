#!/usr/bin/env python3
"""Lists what a run of ctest has skipped, each with its reason, as the last lines of the run.

    list_skips.py JUNIT_FILE [ALLOWED]

JUNIT_FILE is what `ctest --output-junit` wrote, with the whole output of each test. A skip is a test that ctest counts as
skipped, or one of GoogleTest's among others of a passed test. ALLOWED: "1" allows every skip, other words, with commas
between, those whose reason contains one of them. Exit status 3 when a skip is not allowed.
"""

import collections
import re
import sys
import xml.etree.ElementTree as ElementTree

NOT_ALLOWED = 3
GOOGLETESTS = re.compile(r": Skipped\n(?P<reason>.*?)\n+\[  SKIPPED \] (?P<name>\S+)", re.DOTALL)


def skips_of(case):
    """(test, reason) of each skip in one of ctest's tests."""
    output = case.findtext("system-out") or ""
    found = [(f"{case.get('name')}: {skip['name']}", " ".join(skip["reason"].split()))
             for skip in GOOGLETESTS.finditer(output)]
    if not found and case.find("skipped") is not None:
        lines = [line for line in output.splitlines() if line.strip()] or [case.find("skipped").get("message", "")]
        found = [(case.get("name"), re.sub(r"^SKIP ", "", lines[-1]))]
    return found


def main():
    allowed = sys.argv[2] if len(sys.argv) > 2 else ""
    tests_of = collections.defaultdict(list)
    for case in ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        for test, reason in skips_of(case):
            tests_of[reason].append(test)
    if not tests_of:
        return 0
    print(f"\nThis run is not complete: {sum(map(len, tests_of.values()))} tests could not run on this machine.")
    refused = False
    for reason, tests in tests_of.items():
        is_allowed = allowed == "1" or any(word and word in reason for word in allowed.split(","))
        refused = refused or not is_allowed
        print(f"{'skipped' if is_allowed else 'NOT ALLOWED'}: {reason}")
        for test in tests:
            print(f"    {test}")
    if refused:
        print("Mend the cause. Where this machine cannot run these tests, DNN_ALLOW_SKIPS=1 launch/test.sh accepts that.")
    return NOT_ALLOWED if refused else 0


sys.exit(main())
