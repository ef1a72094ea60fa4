"""Documents and sentences matched with existing English ones."""
