"""Pages for people: what is counted, drawn and shown."""
