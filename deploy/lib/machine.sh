# What every script of this folder needs of the machine: words, packages by apt, the Swift toolchain. Sourced, never run.
# Callers set `root` (the tree) first. Nothing here calls apt unless a package is missing.

# What each group of packages is for; `install_packages` prints the line when something of the group is missing.
packages_of() {
    case "$1" in
        toolchain) echo "libncurses6 libsqlite3-0 libcurl4 libxml2 libc6-dev binutils libgcc-12-dev libstdc++-12-dev pkg-config" ;;
        product) echo "libsqlite3-dev libzmq3-dev libwebsockets-dev libsodium-dev libcurl4-openssl-dev libyaml-dev libzstd-dev libssl-dev tzdata ca-certificates" ;;
        dashboard) echo "esbuild node-typescript node-react node-react-dom node-csstype node-prop-types nodejs python3 python3-pip python3-venv" ;;
        proofs) echo "git python3 chromium chromium-driver fonts-inter" ;;
        *) die "no package group is called $1" ;;
    esac
}
reason_of() {
    case "$1" in
        toolchain) echo "the Swift toolchain does not start, compile or link without them" ;;
        product) echo "SQLite, ZeroMQ, libwebsockets, libsodium, curl, YAML, Zstandard and time zones, which the product is linked with" ;;
        dashboard) echo "they build and check the dashboard" ;;
        proofs) echo "the tests read the tracked files with git and walk the dashboard in a real browser" ;;
    esac
}

say() { printf '%s\n' "$*"; }

# One sentence to stderr, then the end.
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]; }

# install_packages MODE GROUP...: MODE is `install`, or `refuse` (the scripts' --no-install) to name what is missing and stop.
install_packages() {
    local mode=$1 group package missing=() lacking
    shift
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null \
        || die "this machine has no apt; the house is built and tested on Debian 12"
    for group in "$@"; do
        lacking=""
        for package in $(packages_of "$group"); do
            is_installed "$package" && continue
            case " ${missing[*]-} " in *" $package "*) continue ;; esac
            missing+=("$package")
            lacking="$lacking $package"
        done
        [ -z "$lacking" ] || say "missing:$lacking ($(reason_of "$group"))"
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$mode" = install ] || die "packages are missing and --no-install forbids installing them; run: sudo apt-get install --no-install-recommends ${missing[*]}"

    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "packages are missing and there is no sudo; as root run: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${#missing[@]} packages by apt${as_root[0]:+ (sudo is used for this alone)}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 update \
        || die "apt-get update failed; check the network and /etc/apt/sources.list"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}" \
        || die "apt-get could not install the packages named above; its own message says which"
    for package in "${missing[@]}"; do
        is_installed "$package" || die "apt-get ended well but $package is still not installed"
    done
}

# Puts a Swift toolchain on PATH: the one that is there, else /opt/swift. Call it after `install_packages install toolchain`.
find_swift() {
    command -v swift >/dev/null || PATH="/opt/swift/usr/bin:$PATH"
    command -v swift >/dev/null || die "no Swift toolchain: put Swift 6.3 for Debian 12 on PATH or into /opt/swift, then run this again"
    swift --version >/dev/null 2>&1 || die "$(command -v swift) does not start; run 'swift --version' to see why"
    # A crash in a test ends at once instead of being traced for minutes.
    export SWIFT_BACKTRACE=enable=no
}

# The caches of SwiftPM, the browser and git settings go under .build: a run leaves nothing outside the tree and /tmp.
use_own_home() {
    mkdir -p "$root/.build/home"
    export HOME="$root/.build/home" XDG_CACHE_HOME="$root/.build/home/.cache" XDG_CONFIG_HOME="$root/.build/home/.config" XDG_STATE_HOME="$root/.build/home/.local/state"
}
