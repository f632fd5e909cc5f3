"""One module a command: its arguments, and the library call that it mirrors.

Each has `add_arguments(parser)` and `run(options)`, which returns the exit code. `scorekit.cli` imports a module only
when its command is typed, and a module imports what is heavy only when it runs: usage errors and --help are told at
once. A command with commands of its own sets `action` to the function of each: `parser.set_defaults(action=...)`.
"""
