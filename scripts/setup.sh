#!/bin/sh
# Gets a Debian-like machine ready to build, test and demonstrate gijit: system packages and the
# virtual environment `.venv/` (made from the system Python, so that it sees the distribution's
# PyGObject). Safe to run again at any time, and quick when there is nothing to do.
#
#     setup.sh [PACKAGE...]    also installs these system packages, which few targets need
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
python=${PYTHON:-/usr/bin/python3}
venv="$root/.venv"
requirements="$root/scripts/requirements.txt"

say() { printf '[set-up] %s\n' "$*"; }

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root="sudo"
fi

# Debian's packages for one Python carry its version: that of the Python that is there, or is to come.
python_version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || {
    $as_root apt-get update -q >&2
    apt-cache show python3 | sed -n 's/^Version: \(3\.[0-9]*\).*/\1/p' | head -n 1
})

# What each group is for: PyGObject and its headers; libraries that the tests and the demo call;
# more libraries, of which coverage is measured; tools to build the test libraries, and the asyncio
# tests that PyGObject derives its own from; PyGObject's C header, for the C calls of the benchmark; a
# display and a session bus without a desktop, and a debugger; LLVM for tier 2.
packages="
python3 python3-dev python3-venv python3-pip python3-gi python3-gi-cairo
gir1.2-gtk-3.0 gir1.2-gtk-4.0
gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-json-1.0 gir1.2-soup-3.0 gir1.2-rsvg-2.0
gir1.2-poppler-0.18 gir1.2-vte-2.91 gir1.2-gtksource-4 gir1.2-secret-1 gir1.2-notify-0.7
gcc g++ pkg-config libglib2.0-dev libcairo2-dev libffi-dev
libgirepository1.0-dev gobject-introspection libpython$python_version-testsuite
python-gi-dev
xvfb xauth dbus dbus-daemon gdb
llvm-22-dev libpolly-22-dev libzstd-dev zlib1g-dev libxml2-dev
$*
"

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=""
if command -v dpkg-query >/dev/null; then
    for package in $packages; do
        installed "$package" || missing="$missing $package"
    done
else
    say "this is not a Debian-like system: please install the counterparts of" $packages
fi

if [ -n "$missing" ]; then
    say "installing system packages:$missing"
    $as_root apt-get update -q
    # shellcheck disable=SC2086  # The list is meant to be split.
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends $missing
else
    say "system packages: all there"
fi

if ! command -v cargo >/dev/null; then
    say "cargo was not found: install Rust 1.95 or newer (see rustup) and run this again" >&2
    exit 1
fi

if [ ! -x "$venv/bin/python" ]; then
    say "creating .venv from $python"
    "$python" -m venv --system-site-packages "$venv"
fi

# The stamp holds the requirements that were installed; a changed list installs anew.
if ! cmp -s "$requirements" "$venv/requirements.stamp"; then
    say "installing Python packages"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$venv/requirements.stamp"
fi
say "Python environment: ready"
