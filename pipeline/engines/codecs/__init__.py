"""Text to ids and back: encoder-decoder models and chat models."""
