"""`python -m scorekit` is the same as `scorekit`."""

from scorekit.cli import run

if __name__ == "__main__":
    run()
