"""The `mekong` command: one file a subcommand, arguments in, exit code out."""
