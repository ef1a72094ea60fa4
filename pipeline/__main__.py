"""`python -m pipeline` is the `mekong` command."""

from pipeline.cli.main import main

if __name__ == "__main__":
    main()
