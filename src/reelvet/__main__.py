"""`python -m reelvet` is the command line."""

from reelvet.cli import main

if __name__ == "__main__":
    main()
