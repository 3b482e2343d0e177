#!/usr/bin/env bash
# Makes the virtual environment (folder: first argument) and installs the project into it with all its extras. Does
# nothing where that was done since pyproject.toml and the lock last changed.
set -euo pipefail

cd "$(dirname "$0")/.."
venv=${1:-.venv}
stamp=$venv/installed

# A folder that was copied or moved, or whose Python went away, is made anew; the stamp holds where it was made.
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$PWD" ] && [ ! pyproject.toml -nt "$stamp" ] && [ ! requirements.lock -nt "$stamp" ] &&
    "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

if { [ -e "$stamp" ] && [ "$(cat "$stamp")" != "$PWD" ]; } || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    if ! python=$(scripts/find_python.sh); then
        echo "DDMI Studio needs Python 3.11 or newer with its venv module. Install it, or name one: make setup PYTHON=/path/to/python3" >&2
        exit 1
    fi
    echo "Making the virtual environment in $venv with $python"
    "$python" -m venv --clear "$venv"
fi

echo "Installing the Python packages; the first time takes some minutes"
# torch goes first and by itself: where pip is shown a CPU build of this very version it takes that, and the rest then
# stays with it instead of fetching gigabytes of CUDA.
torch=$(sed -nE 's/^ *"(torch==[^"]+)",?$/\1/p' pyproject.toml)
"$venv/bin/python" -m pip install -q --no-input -c requirements.lock "$torch"
"$venv/bin/python" -m pip install -q --no-input -c requirements.lock -e ".[studio,dev,package]"
pwd >"$stamp"
