# Shared by build and test: where the dashboard's things are, its tools, and the pinned wheels. Sourced, never run.
# shellcheck shell=bash

WEB="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
ROOT="$(cd "$WEB/../.." && pwd)"
APP="$ROOT/Cloud/Dashboard"
VENDOR="$WEB/vendor"
DIST="$WEB/dist"
export NODE_PATH=/usr/share/nodejs # Debian keeps React and the type declarations here.

root="$ROOT"
. "$ROOT/deploy/lib/machine.sh"

# Installs the dashboard's tools by apt; with INSTALL=no it names what is missing and stops.
need_tools() {
    if [ "${INSTALL:-yes}" = yes ]; then install_packages install dashboard; else install_packages refuse dashboard; fi
}

# fetch_wheels LIST: brings the members that LIST names into vendor/, unless they lie there with the right hash.
fetch_wheels() {
    local list="$1" scratch
    if python3 "$WEB/unpack.py" --check "$list" "$VENDOR" 2>/dev/null; then return 0; fi
    scratch="$(mktemp -d)"
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r "$list" -d "$scratch" ||
        { rm -rf "$scratch"; die "the pinned files of $(basename "$list") could not be fetched from the Python package index; is there a network?"; }
    python3 "$WEB/unpack.py" "$list" "$VENDOR" "$scratch" || { rm -rf "$scratch"; exit 1; }
    rm -rf "$scratch"
}
