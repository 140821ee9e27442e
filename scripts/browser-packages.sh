#!/bin/sh
# Installs what the browser tests need beyond Python: Debian's chromium with a font, with windows (`make bench`)
# and without (the tests), and what comes from npm.
# Does nothing where all is there.
set -eu
cd "$(dirname "$0")/.."

packages=""
command -v chromium >/dev/null 2>&1 && command -v chromium-headless-shell >/dev/null 2>&1 ||
    packages="chromium chromium-headless-shell fonts-inter"
command -v npm >/dev/null 2>&1 || packages="$packages npm"
if [ -n "$packages" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Install chromium, chromium-headless-shell and npm with this system's package manager" >&2
        exit 1
    fi
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root="sudo"
    $as_root apt-get update --quiet --quiet
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends \
        -o Dpkg::Options::=--force-confold $packages >/dev/null
fi

sh scripts/browser-modules.sh
