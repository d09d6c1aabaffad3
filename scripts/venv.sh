#!/bin/sh
# Makes .venv with what this machine has, and installs a lock and Rollcall itself: scripts/venv.sh requirements/dev.txt
# PYTHON names the Python to take. A virtual environment that was left half made is made again.
set -eu

lock=$1
python=${PYTHON:-python3}

give_up() {
    echo "$*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

has_pip() {
    "$1" -m pip --version >/dev/null 2>&1
}

# pip of the virtual environment; where that has none, the system's pip at work in it.
in_venv_pip() {
    if has_pip .venv/bin/python; then
        .venv/bin/python -m pip "$@"
    else
        "$python" -m pip --python .venv/bin/python "$@"
    fi
}

is_usable() {
    [ "$(cat .venv/made-in 2>/dev/null)" = "$(pwd -P)" ] && is_new_enough .venv/bin/python && in_venv_pip --version >/dev/null 2>&1
}

make_venv() {
    rm -rf .venv
    "$python" -m venv .venv >.venv.log 2>&1 && return
    rm -rf .venv # python3 without python3-venv leaves one without pip
    has_pip "$python" && "$python" -m venv --without-pip .venv >.venv.log 2>&1 && return
    rm -rf .venv
    return 1
}

command -v "$python" >/dev/null || give_up "There is no $python here. Rollcall needs Python 3.11 or later: apt-get install python3"
found="$("$python" -c 'import platform, sys; print("Python", platform.python_version(), sys.executable)')"
is_new_enough "$python" || give_up "$found is too old: Rollcall needs Python 3.11 or later. Name one: make setup PYTHON=python3.12"

if ! is_usable; then
    echo "$found: making .venv"
    if ! make_venv; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "This Python cannot make virtual environments: installing python3-venv"
            sh scripts/packages.sh python3-venv
            make_venv || true
        fi
    fi
    if ! [ -x .venv/bin/python ]; then
        cat .venv.log >&2
        rm -f .venv.log
        give_up "$found cannot make a virtual environment. As root: apt-get install python3-venv; then run make again."
    fi
    rm -f .venv.log
    pwd -P >.venv/made-in
fi

echo "Installing $lock (a minute or two the first time)"
in_venv_pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" ||
    give_up "The packages of $lock could not be installed; pip's message above says why. Run make again afterwards."
in_venv_pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
