"""`python -m scorekit.container` is the entrypoint of the image."""

import sys

from scorekit.container.start import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
