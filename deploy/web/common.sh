# Shared by build, test and dev: where things are, which Debian packages carry the tools, and the pinned wheels. Sourced, never run.
# shellcheck shell=bash

WEB="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
ROOT="$(cd "$WEB/../.." && pwd)"
APP="$ROOT/Cloud/Dashboard"
VENDOR="$WEB/vendor"
DIST="$WEB/dist"
export NODE_PATH=/usr/share/nodejs # Debian keeps React and the type declarations here.

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Prints the Debian packages that are missing, one a line.
missing_packages() {
    command -v node >/dev/null || say nodejs
    command -v esbuild >/dev/null || say esbuild
    command -v tsc >/dev/null || say node-typescript
    [ -e "$NODE_PATH/react/index.js" ] || say node-react
    [ -e "$NODE_PATH/react-dom/index.js" ] || say node-react-dom
    [ -e "$NODE_PATH/csstype/index.d.ts" ] || say node-csstype
    [ -e "$NODE_PATH/@types/prop-types/index.d.ts" ] || say node-prop-types
    python3 -m pip --version >/dev/null 2>&1 || say python3-pip
}

# Installs what is missing by apt; with INSTALL=no it says what to do and stops.
need_tools() {
    local missing as_root=()
    missing="$(missing_packages | tr '\n' ' ')"
    [ -n "$missing" ] || return 0
    [ "${INSTALL:-yes}" = yes ] || fail "the dashboard's build needs these Debian packages: $missing(apt-get install --no-install-recommends $missing)"
    command -v apt-get >/dev/null || fail "the dashboard's build needs $missing; this machine has no apt-get, so install them by hand"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "the dashboard's build needs $missing and neither root nor sudo is at hand"
        as_root=(sudo)
    fi
    say "installing for the dashboard's build: $missing"
    # shellcheck disable=SC2086  # one word a package is meant
    "${as_root[@]}" apt-get install -y -q --no-install-recommends $missing >/dev/null ||
        fail "apt-get could not install $missing; try apt-get update, then run this again"
}

# fetch_wheels LIST: brings the members that LIST names into vendor/, unless they lie there with the right hash.
fetch_wheels() {
    local list="$1" scratch
    if python3 "$WEB/unpack.py" --check "$list" "$VENDOR" 2>/dev/null; then return 0; fi
    scratch="$(mktemp -d)"
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r "$list" -d "$scratch" ||
        { rm -rf "$scratch"; fail "the pinned files of $(basename "$list") could not be fetched from the Python package index; is there a network?"; }
    python3 "$WEB/unpack.py" "$list" "$VENDOR" "$scratch" || { rm -rf "$scratch"; exit 1; }
    rm -rf "$scratch"
}
