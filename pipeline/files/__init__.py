"""What lies on disk, and what goes to the terminal: the run folder, lines, tables, rows, progress."""
