"""The way of the data: read, segment, translate, align, score, filter, write."""
