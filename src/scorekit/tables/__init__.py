"""Text for people, from the same records that --json gives to programs: one module a subject."""
