"""Which pairs are kept, and why the others are not."""
