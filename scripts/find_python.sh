#!/usr/bin/env bash
# Prints the Python that the virtual environment is to be made with: $PYTHON, or the first on the PATH that is 3.11 or
# newer and can make one. Fails, saying nothing, where there is none.
set -uo pipefail

for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13}; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
done
exit 1
