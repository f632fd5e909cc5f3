"""The API for programs: every module here with a `router` is part of the portal, below /api/v1."""
