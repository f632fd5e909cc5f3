"""What a job of a sweep costs on an engine beside its measuring."""
