"""MT models: tokenizers and prompts, engines, batching."""
