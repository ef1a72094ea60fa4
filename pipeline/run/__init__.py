"""The order of the stages over one folder, and what a finished run leaves."""
