"""Models run by Hugging Face's transformers: chat models, and the reference for the others."""
