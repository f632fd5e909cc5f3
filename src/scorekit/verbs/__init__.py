"""What the commands do, one module a command: read, call the library, print what a person or a program wants to know.

Imported when its command runs, never for --help.
"""
