#!/bin/sh
# Installs the wheels of this folder into a new virtual environment: sh install.sh [ENV]
# PYTHON names the interpreter to use; without it, python3 or python of PATH.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-}
if [ -z "$python" ]; then
    for name in python3 python; do
        if command -v "$name" >/dev/null 2>&1; then
            python=$name
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo "error: there is no Python here" >&2
    echo "  fix: install it, or name it: PYTHON=/path/to/python sh install.sh" >&2
    exit 1
fi
exec "$python" "$here/install.py" "$@"
