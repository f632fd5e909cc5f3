"""Logs of other tools, one module a format.

Each module has `FORMAT` (name and version), `DESCRIPTION` (what such a log is, for messages), `recognises(place)`
(whether a folder or file claims to be one; cheap, decided from content, and true for broken ones too, so that the
reader can say what is wrong) and `read(place)`, which yields results and raises LogError for what is no such log.
"""
