"""What is published, turned into what is loaded."""
