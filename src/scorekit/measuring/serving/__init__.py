"""Measuring a server of this machine through its OpenAI-compatible streaming endpoint: the protocol `serving-1`.

A closed loop keeps a stated number of queries in flight. Windows are opened and closed on its steady state, and what
was served in a window is counted by the share of each query's time that lies in it. docs/serving.md is the protocol.
"""
