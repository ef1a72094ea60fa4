"""How likely a machine-made pair is right."""
