"""Pages for people: every module here with a `router` is part of the portal."""
