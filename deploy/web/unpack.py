"""Takes the members that a wheel list names out of the downloaded wheels, each only with the hash that stands in the list."""

import hashlib
import pathlib
import sys
import zipfile


def members(listing: pathlib.Path) -> list[tuple[str, str]]:
    """The (member, sha256) pairs of the list's `# member:` lines."""
    lines = listing.read_text(encoding="utf-8").splitlines()
    return [(line.split()[2], line.split()[3]) for line in lines if line.startswith("# member:")]


def main(arguments: list[str]) -> int:
    check = arguments[:1] == ["--check"]
    listing, vendor, *rest = [pathlib.Path(a) for a in arguments[1 if check else 0:]]
    wheels = [] if check else sorted(rest[0].glob("*.whl"))
    vendor.mkdir(parents=True, exist_ok=True)
    for member, wanted in members(listing):
        target = vendor / pathlib.PurePosixPath(member).name
        if check:
            data = target.read_bytes() if target.exists() else b""
        else:
            holders = [w for w in wheels if member in zipfile.ZipFile(w).namelist()]
            data = zipfile.ZipFile(holders[0]).read(member) if holders else b""
        if hashlib.sha256(data).hexdigest() != wanted:
            print(f"error: {member} is missing or does not have the SHA-256 that {listing.name} names; nothing was taken", file=sys.stderr)
            return 1
        if not check:
            target.write_bytes(data)
    return 0


sys.exit(main(sys.argv[1:]))
