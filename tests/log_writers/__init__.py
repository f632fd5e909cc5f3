"""Writers of other tools' log formats, one module a format, for tests: what is written is known, so what is read can be
compared with it. Each has Hypothesis strategies of its own for valid logs.
"""
