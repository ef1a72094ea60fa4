"""Our engine on processors: numba kernels between matrix products."""
