#!/bin/sh
# Installs the Debian packages that the tests want, as far as they are missing, as root on Debian or Ubuntu.
# Anywhere else it says what is missing: the tests that want it are skipped by its name.
# With arguments it installs those packages instead. The file STAMP is made once nothing is missing any more.
set -eu

[ $# -gt 0 ] ||
    set -- postgresql postgresql-contrib mariadb-server redis-server chromium poppler-utils ruby qpdf fonts-noto-core fonts-wqy-zenhei fonts-dejavu-core

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

missing() {
    for package; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf ' %s' "$package"
    done
}

wanted=$*
missing=$(missing "$@")
if [ -z "$missing" ]; then
    touch "${STAMP:-/dev/null}"
    exit 0
fi

if [ "$(id -u)" != 0 ]; then
    echo "Not installed:$missing. Tests that want them are skipped; as root: apt-get install$missing"
    exit 0
fi

# Nothing that is installed here may start: the tests run servers of their own. This file is Debian's way to say so.
policy=/usr/sbin/policy-rc.d
if ! [ -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

install() {
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

echo "Installing:$missing"
# shellcheck disable=SC2086 # one word per package
if ! install $missing; then
    apt-get update --quiet=2 || echo "apt-get update failed; trying with what is known"
    for package in $missing; do
        install "$package" || echo "$package could not be installed: tests that want it are skipped"
    done
fi

# …and nothing starts with the machine either.
if command -v systemctl >/dev/null; then
    for service in postgresql mariadb redis-server; do
        case "$missing" in
        *"$service"*) systemctl disable --quiet "$service" 2>/dev/null || true ;;
        esac
    done
fi

# shellcheck disable=SC2086 # the same
[ -n "$(missing $wanted)" ] || touch "${STAMP:-/dev/null}"
