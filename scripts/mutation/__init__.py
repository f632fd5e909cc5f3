"""Test the tests: change what rates and checks, one thing after the other, and see whether a test notices.

`python -m scripts.mutation` tells what survived; `survivors` knows what of it is no fault, `testing` runs mutmut.
"""
