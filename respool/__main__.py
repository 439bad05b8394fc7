"""`python -m respool` is the command `respool`."""

from respool.cli import main

if __name__ == "__main__":
    main()
