"""Our engine on CUDA: padded batches and recorded graphs."""
