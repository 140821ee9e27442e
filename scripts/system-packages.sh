#!/bin/sh
# Installs what the tests need beyond Python: PostgreSQL's programs (the tests start a server of their own, so none is
# set up here), the programs of the example in docs/api.md, and nginx and Caddy (the tests start their own, too). Does
# nothing where all are there already.
set -eu

found() {
    command -v initdb >/dev/null 2>&1 && return 0
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    return 1
}

tools=""
for tool in curl jq openssl nginx caddy; do
    command -v "$tool" >/dev/null 2>&1 || [ -x "/usr/sbin/$tool" ] || tools="$tools $tool"
done

if found && [ -z "$tools" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Install PostgreSQL (initdb in PATH), curl, jq, openssl, nginx and Caddy with this system's package manager" >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "As root: apt-get install postgresql curl jq openssl nginx caddy" >&2
        exit 1
    fi
    as_root="sudo"
fi

install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends \
        -o Dpkg::Options::=--force-confold "$@" >/dev/null
}

$as_root apt-get update --quiet --quiet
if [ -n "$tools" ]; then
    # shellcheck disable=SC2086
    install $tools
fi
if found; then
    exit 0
fi
install postgresql-common
# No cluster is made, so none is started.
$as_root sh -c "mkdir -p /etc/postgresql-common/createcluster.d &&
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/no-main-cluster.conf"
install postgresql

if ! found; then
    echo "PostgreSQL was installed, but initdb is neither in PATH nor in /usr/lib/postgresql/*/bin" >&2
    exit 1
fi
