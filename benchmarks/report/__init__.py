"""All benchmarks, each in a process of its own, and the report that is written of what they found."""
