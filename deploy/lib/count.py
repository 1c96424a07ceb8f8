# Counts a Swift test run from its xUnit file: prints `PASSED FAILED`; a test target that ran nothing is one failure.
import pathlib
import sys
import xml.etree.ElementTree as ET


def main(report: str, exit_code: int) -> tuple[int, int]:
    try:
        cases = list(ET.parse(report).getroot().iter("testcase"))
    except (OSError, ET.ParseError) as error:
        print(f"the test run left no readable report (exit code {exit_code}; 124 is the time limit): {error}", file=sys.stderr)
        return 0, 1
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    for case in bad:
        print(f"failed: {case.get('classname')} {case.get('name')}", file=sys.stderr)
    for case in skipped:
        print(f"skipped, which counts as failed: {case.get('classname')} {case.get('name')}", file=sys.stderr)
    ran = {(case.get("classname") or "").split(".")[0] for case in cases}
    silent = [room.name for room in sorted(pathlib.Path("Tests").glob("*Tests")) if any(room.rglob("*.swift")) and room.name not in ran]
    for name in silent:
        print(f"ran no test: {name}", file=sys.stderr)
    failed = len(bad) + len(skipped) + len(silent)
    if failed == 0 and exit_code != 0:
        print(f"the test run ended with exit code {exit_code}", file=sys.stderr)
        failed = 1
    return len(cases) - len(bad) - len(skipped), failed


if __name__ == "__main__":
    print(*main(sys.argv[1], int(sys.argv[2])))
