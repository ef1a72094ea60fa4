"""Which models there are, what is known of them, and the store they are kept in."""
