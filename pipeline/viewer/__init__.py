"""`mekong view`: a page on this machine on which a person accepts or rejects the pairs of a run."""
