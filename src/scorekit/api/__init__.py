"""The Python API behind `scorekit.load`, `measure`, `rate` and `impact`: each does what its command does.

`import scorekit` imports none of it; a name is imported when it is first used.
"""
