"""What a run has to say about itself: the data, the counting, the drawing."""
