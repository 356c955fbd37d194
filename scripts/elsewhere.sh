#!/bin/sh
# Runs targets of the Makefile on another release of Debian, from a copy of this checkout:
#
#     sudo scripts/elsewhere.sh trixie test
#     sudo scripts/elsewhere.sh sid build
#
# The release is installed with debootstrap into build/elsewhere/RELEASE/, once; the copy and all that
# is built in it stay there. Rust is this machine's. Needs root, for chroot and mounts, which are in a
# name space of their own and go when this ends.
set -eu

usage() {
    echo "usage: $0 RELEASE TARGET..., such as: $0 trixie test" >&2
    exit 2
}
[ $# -ge 2 ] || usage
if [ -z "${GIJIT_ELSEWHERE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "$0 needs root" >&2; exit 1; }
    GIJIT_ELSEWHERE=1 exec unshare --mount --propagation private -- "$0" "$@"
fi

release=$1
shift
checkout=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
root="$checkout/build/elsewhere/$release"

for tool in debootstrap rsync; do
    command -v "$tool" >/dev/null || apt-get install -q -y --no-install-recommends "$tool"
done
if [ ! -e "$root/installed" ]; then
    echo "[elsewhere] installing Debian $release into $root"
    debootstrap --variant=minbase --include=ca-certificates,make "$release" "$root"
    sources="$root/etc/apt/sources.list"
    if [ "$release" != sid ]; then
        # Beside the mirror that debootstrap has chosen.
        sed -n "s|^deb \([^ ]*\) $release main.*|deb \1-security $release-security main|p" "$sources" \
            >"$sources.d/security.list"
    fi
    touch "$root/installed"
fi

mount -t proc proc "$root/proc"
mount -t sysfs sys "$root/sys"
mount --rbind /dev "$root/dev"
for folder in "${CARGO_HOME:-$HOME/.cargo}" "${RUSTUP_HOME:-$HOME/.rustup}"; do
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
done
# How this machine reaches the network.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$file" ] || cp "$file" "$root$file"
done

mkdir -p "$root/gijit"
cd "$checkout"
git ls-files -z | rsync -a --from0 --files-from=- ./ "$root/gijit/"
exec chroot "$root" env -i HOME="$HOME" TERM="${TERM:-dumb}" LANG=C.UTF-8 \
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    make -C /gijit "$@"
