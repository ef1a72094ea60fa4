"""Reading pairs that are there already: the log-probability of a given text."""
