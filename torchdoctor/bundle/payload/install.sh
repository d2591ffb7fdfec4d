#!/bin/sh
# Installs the wheels of this folder into a new virtual environment:
#   sh install.sh [ENV] [--digest sha256:HEX] [--allowed-signers FILE]
# PYTHON names the interpreter to use; without it, python3 or python of PATH.
set -eu
self=$0
while [ -L "$self" ]; do
    target=$(readlink -- "$self")
    case $target in
    /*) self=$target ;;
    *) self=$(dirname -- "$self")/$target ;;
    esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd)
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
