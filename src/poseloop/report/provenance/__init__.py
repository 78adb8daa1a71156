"""Where a number of a table comes from, and whether it still follows from there."""
