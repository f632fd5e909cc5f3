"""The regression guard: ratios in CPU time and counts, in a short form that a busy machine does not disturb."""
