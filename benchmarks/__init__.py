"""Speed, always as a ratio against a named peer or floor. See README.md in this folder."""
