"""`python -m torchdoctor`: the same program as the script."""

from torchdoctor.cli import main

if __name__ == "__main__":
    main()
