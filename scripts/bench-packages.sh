#!/bin/sh
# Installs what the bench measures Stagedoor against: programs with apt, Python packages into .bench/venv, Node packages
# into .bench/node. Those versions are pinned, so that numbers of two days can be compared. Does nothing where all is
# there. What cannot be installed is named at the end; the bench leaves those peers out and says so.
# With names of programs (nginx curl) it installs these alone.
set -u
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3.11}"
failed=""

missing_programs() {
    wanted=" $* "
    for pair in nginx:nginx curl:curl rsync:rsync sshd:openssh-server ssh:openssh-client ip:iproute2 \
        gcc:gcc openssl:openssl node:nodejs npm:npm nsenter:util-linux sysctl:procps; do
        [ "$wanted" = "  " ] || case "$wanted" in *" ${pair%%:*} "*) ;; *) continue ;; esac
        PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair##*:}"
    done
    case "$wanted" in "  " | *" gcc "*) wants_gcc=1 ;; *) wants_gcc="" ;; esac
    if [ -n "$wants_gcc" ]; then
        echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1 || echo libc6-dev
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Packages of servers start them when they are installed; a policy says no to that meanwhile.
install_programs() {
    policy=/usr/sbin/policy-rc.d
    ours=""
    if [ ! -e "$policy" ]; then
        ours=1
        as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    fi
    as_root apt-get update --quiet --quiet
    for package in "$@"; do
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends \
            -o Dpkg::Options::=--force-confold "$package" >/dev/null || failed="$failed $package"
    done
    [ -z "$ours" ] || as_root rm -f "$policy"
}

install_peers() {
    mkdir -p .bench/node
    if ! cmp -s bench/peers/requirements.txt .bench/venv/.installed; then
        if "$PYTHON" -m venv .bench/venv && .bench/venv/bin/pip install --quiet -r bench/peers/requirements.txt; then
            cp bench/peers/requirements.txt .bench/venv/.installed
        else
            failed="$failed $(tr '\n' ' ' <bench/peers/requirements.txt)"
        fi
    fi
    if command -v npm >/dev/null 2>&1 && ! cmp -s bench/peers/package.json .bench/node/.installed; then
        cp bench/peers/package.json .bench/node/package.json
        if npm install --prefix .bench/node --silent --no-audit --no-fund --ignore-scripts; then
            cp bench/peers/package.json .bench/node/.installed
        else
            failed="$failed @tus/server tus-js-client"
        fi
    fi
}

programs="$(missing_programs "$@")"
if [ -n "$programs" ]; then
    if command -v apt-get >/dev/null 2>&1; then
        # shellcheck disable=SC2086
        install_programs $programs
    else
        failed="$failed $(echo "$programs" | tr '\n' ' ')"
    fi
fi

if [ $# -eq 0 ]; then
    install_peers
fi

if [ -n "$failed" ]; then
    echo "Could not be installed, the bench goes without:$failed" >&2
    exit 1
fi
