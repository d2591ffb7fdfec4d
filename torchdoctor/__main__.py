"""`python -m torchdoctor`: the same program as the script."""

import os
import sys

# `python -m` looks in the current folder first: a random.py there, which the doctor is to find, would be imported.
if not getattr(sys.flags, "safe_path", False) and sys.path[:1] in ([os.getcwd()], [""]):  # noqa: PTH109  (nothing more is imported yet)
    del sys.path[0]

from torchdoctor.cli import main

if __name__ == "__main__":
    main()
