"""Plants faults into a copy of the IBKR codec, one at a time, and wants at least one suite to turn red for each. Last line: `N caught, M missed`."""

import argparse
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODEC = "Edge/Venues/IBKR/Codec"
SUITES = "Tests/VenuesTests/IBKR"

# The codec stands alone on Values; its suites need Wire for the vectors' JSON. Session, gateway and the rest are left out: they build far longer.
MANIFEST = """// swift-tools-version: 6.2
import PackageDescription
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let package = Package(name: "tidewire", targets: [
    .systemLibrary(name: "CSodium", path: "Shared/C/CSodium"), .systemLibrary(name: "CZstd", path: "Shared/C/CZstd"),
    .target(name: "CAllocations", path: "Tests/Allocations"),
    .target(name: "Values", path: "Shared/Values", swiftSettings: settings),
    .target(name: "Wire", dependencies: ["Values", "CSodium", "CZstd"], path: "Shared/Wire", swiftSettings: settings),
    .target(name: "Venues", dependencies: ["Values"], path: "Edge/Venues", swiftSettings: settings),
    .testTarget(name: "VenuesTests", dependencies: ["Values", "Wire", "Venues", "CAllocations"], path: "Tests/VenuesTests", swiftSettings: settings),
])
"""


@dataclasses.dataclass
class Mutant:
    """Texts to replace, each in one file where it stands exactly once. `harmless` ones must pass: the suites do not cry wolf."""

    name: str
    edits: list[tuple[str, str, str]]
    harmless: bool = False


def one(name: str, file: str, old: str, new: str, harmless: bool = False) -> Mutant:
    return Mutant(name, [(file, old, new)], harmless)


MUTANTS = [
    one("open and close swapped in a bar update", "IBDecoder+market.swift",
        "let open = try c.price(b)\n        let close = try c.price(b)", "let close = try c.price(b)\n        let open = try c.price(b)"),
    one("high and low swapped in bars", "IBDecoder+market.swift",
        "history.bars.append(try bar(b, &c))", "var one = try bar(b, &c); swap(&one.high, &one.low); history.bars.append(one)"),
    Mutant("permId and clientId swapped in an open order", [
        ("IBDecoder+orders.swift", "o.order.clientId = try c.integer(b) ?? 0", "o.order.permId = try c.integer(b) ?? 0"),
        ("IBDecoder+orders.swift", "o.permId = try c.long(b) ?? 0; o.outsideRth", "o.clientId = try c.long(b) ?? 0; o.outsideRth"),
    ]),
    one("bid and ask sizes swapped in a live quote", "IBDecoder+ticks.swift",
        "quote.isAskPastHigh = mask & 2 != 0", "quote.isAskPastHigh = mask & 2 != 0; swap(&quote.bidSize, &quote.askSize)"),
    one("the bits of past quotes read as those of live ones", "IBDecoder+ticks.swift",
        "isBidPastLow: mask & 2 != 0, isAskPastHigh: mask & 1 != 0", "isBidPastLow: mask & 1 != 0, isAskPastHigh: mask & 2 != 0"),
    one("the version of a position not passed over", "IBDecoder+account.swift", "try c.skip(b)\n        switch id {",
        "if id != 61 { try c.skip(b) }\n        switch id {"),
    one("2147483647 taken for a size", "FieldCursor.swift", "return narrow == unsetSize ? nil : WireSize(raw: Int128(narrow))\n        case .unset",
        "return WireSize(raw: Int128(narrow))\n        case .unset"),
    one("the smallest 64-bit number taken for a size", "FieldCursor.swift",
        ', !isWord(bytes, range, "-9223372036854775808") else { return nil }', " else { return nil }"),
    one("the largest double taken for a number", "FieldCursor.swift", "index &+= 1\n            return .unset", "index &+= 1\n            return .value(179, places: 2)"),
    one("no quote kept as the price -1", "IBMessage.swift", "price == nil || (price?.raw == -100_000_000 && (size?.raw ?? 0) <= 0)", "price == nil"),
    one("an unset second trailing stop wins", "IBDecoder+orders.swift", "if let price = try c.price(b) { o.trailStopPrice = price }",
        "o.trailStopPrice = try c.price(b)"),
    one("the hedge block left out for the word None", "IBDecoder+orders.swift", "if !o.deltaNeutral.orderType.isEmpty {",
        'if !o.deltaNeutral.orderType.isEmpty, o.deltaNeutral.orderType != "None" {'),
    one("sizes of contract details a version late", "IBDecoder.swift", "static let sizeRules = 164", "static let sizeRules = 165"),
    one("peg terms a version late", "IBDecoder.swift", "atsTerms = 170", "atsTerms = 171"),
    one("the issuer a version late", "IBDecoder.swift", "issuerId = 176", "issuerId = 177"),
    one("the advisor's profile kept a version longer", "IBDecoder.swift", "static let noFaProfile = 177", "static let noFaProfile = 178"),
    one("bar size and duration swapped", "IBEncoder.swift", "w.text(query.barSize); w.text(query.duration)", "w.text(query.duration); w.text(query.barSize)"),
    one("limit and stop price swapped", "IBEncoder+placeOrder.swift", "w.price(o.lmtPrice); w.price(o.auxPrice)", "w.price(o.auxPrice); w.price(o.lmtPrice)"),
    one("transmit inverted", "IBEncoder+placeOrder.swift", "w.flag(o.transmit)", "w.flag(!o.transmit)"),
    one("an escape one character too long", "WireText.swift", "at += 6", "at += 7"),
    one("operation and side swapped in a book", "IBDecoder+ticks.swift", "return .depth(try depth(b, &c, hasMaker: id == 13))",
        "var row = try depth(b, &c, hasMaker: id == 13); swap(&row.operation, &row.side); return .depth(row)"),
    one("the sign of a negative number lost", "FieldCursor.swift", ".value(isNegative ? -value : value, places: places)", ".value(value, places: places)"),
    one("a message that is not decoded", "IBDecoder.swift", "case 14, 83...87, 104, 105:", "case 14, 83...86, 104, 105:"),
    one("a tick that allocates", "IBTick.swift", "return .price(try tickPrice(b, &c))",
        "let words = Array(repeating: 0, count: b.byteCount)\n            return words.isEmpty ? nil : .price(try tickPrice(b, &c))"),
    one("a cut stamp taken for a text", "IBTick.swift", "if case .missing = error { throw error }", ""),
    one("no strike written as nothing (harmless)", "IBEncoder.swift", "w.price(contract.strike ?? Price(raw: 0)); w.text(contract.right",
        "w.price(contract.strike); w.text(contract.right", harmless=True),
]


class Bed:
    """A small package with the codec and its suites, built over and over."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        for part in ("Shared/Values", "Shared/Wire", "Shared/C/CSodium", "Shared/C/CZstd", "Tests/Allocations", CODEC):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copytree(ROOT / "Tests/Fixtures/vectors/tws", folder / "Tests/Fixtures/vectors/tws")
        shutil.copytree(ROOT / "Tests/Fixtures/zoneinfo", folder / "Tests/Fixtures/zoneinfo")
        (folder / SUITES).mkdir(parents=True)
        known = {"CAllocations", "Foundation", "Testing", "Values", "Venues", "Wire"}
        for suite in sorted((ROOT / SUITES).glob("*.swift")):
            text = suite.read_text()
            # Suites of the session speak of more than the codec.
            if set(re.findall(r"^import (\w+)", text, re.M)) <= known and not re.search(r"\bIBKRSession\b", text):
                shutil.copy(suite, folder / SUITES)
        (folder / "Package.swift").write_text(MANIFEST)

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(["swift", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test(self) -> tuple[bool, list[str]]:
        """Whether it builds, and the tests that turned red."""
        code, text = self.run("build", "--build-tests", "--explicit-target-dependency-import-check", "error")
        if code != 0:
            print("\n".join(line for line in text.splitlines() if "error:" in line)[:2_000])
            return False, []
        code, text = self.run("test", "--skip-build", "--disable-xctest")
        red = sorted(set(re.findall(r"✘ Test (\w+)\(", text)))
        # A suite that dies under a fault has noticed it, too.
        return True, red if code == 0 or red else ["(the run died)"]

    def plant(self, mutant: Mutant) -> dict[pathlib.Path, str]:
        """Changes the sources; gives what stood there. A text that is not there exactly once is an error of this script."""
        before: dict[pathlib.Path, str] = {}
        for file, old, new in mutant.edits:
            path = self.folder / CODEC / file
            text = path.read_text()
            before.setdefault(path, text)
            if text.count(old) != 1:
                raise SystemExit(f"{mutant.name}: '{old}' stands {text.count(old)} times in {file}")
            path.write_text(text.replace(old, new))
        return before


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="plants only faults whose name holds this text")
    parser.add_argument("--keep", help="builds in this folder and leaves it behind")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.only or options.only in m.name]
    with tempfile.TemporaryDirectory(prefix="tidewire-mutants-") as folder:
        home = pathlib.Path(options.keep or folder)
        if options.keep and home.exists():
            shutil.rmtree(home)
        bed = Bed(home)
        # All patches must fit before an hour is spent on them.
        for mutant in chosen:
            for path, text in bed.plant(mutant).items():
                path.write_text(text)
        built, red = bed.test()
        if not built or red:
            print(f"without a fault the suites are not green: {red}")
            return 1
        caught = missed = 0
        for mutant in chosen:
            started = time.monotonic()
            before = bed.plant(mutant)
            built, red = bed.test()
            for path, text in before.items():
                path.write_text(text)
            good = built and (not red if mutant.harmless else bool(red))
            caught += good
            missed += not good
            seen = "does not build" if not built else ", ".join(red) or "all green"
            print(f"{'ok  ' if good else 'MISS'} {mutant.name}: {seen} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{caught} caught, {missed} missed")
    return 0 if missed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
