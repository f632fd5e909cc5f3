"""scorekit: a task config in, a trustworthy energy star out."""

__version__ = "0.1.0"
