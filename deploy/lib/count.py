# Counts Swift test runs from their xUnit files, each with its exit code: prints `PASSED FAILED`; a test target that ran nothing is one failure.
import pathlib
import sys
import xml.etree.ElementTree as ET


def told(*words: object) -> None:
    print(*words, file=sys.stderr)


def name_of(case: ET.Element) -> str:
    return f"{case.get('classname')} {case.get('name')}"


def count(report: str, exit_code: int, rooms: set[str]) -> tuple[int, int]:
    """One run: its tests that passed and that did not; adds to `rooms` the test targets that ran something."""
    try:
        cases = list(ET.parse(report).getroot().iter("testcase"))
    except (OSError, ET.ParseError) as error:
        told(f"the test run left no readable report (exit code {exit_code}; 124 is the time limit): {error}")
        return 0, 1
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    for case in bad:
        told(f"failed: {name_of(case)}")
        for word in [*case.findall("failure"), *case.findall("error")]:
            told(f"  {word.get('message') or word.text or ''}"[:600])
    for case in skipped:
        told(f"skipped, which counts as failed: {name_of(case)}")
    rooms.update((case.get("classname") or "").split(".")[0] for case in cases)
    failed = len(bad) + len(skipped)
    if failed == 0 and exit_code != 0:
        told(f"the test run ended with exit code {exit_code}")
        failed = 1
    return len(cases) - len(bad) - len(skipped), failed


def main(runs: list[str]) -> tuple[int, int]:
    rooms: set[str] = set()
    counts = [count(report, int(exit_code), rooms) for report, exit_code in zip(runs[::2], runs[1::2], strict=True)]
    silent = [room.name for room in sorted(pathlib.Path("Tests").glob("*Tests")) if any(room.rglob("*.swift")) and room.name not in rooms]
    for name in silent:
        told(f"ran no test: {name}")
    return sum(good for good, _ in counts), sum(bad for _, bad in counts) + len(silent)


if __name__ == "__main__":
    print(*main(sys.argv[1:]))
