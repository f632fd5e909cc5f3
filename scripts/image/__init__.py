"""The container image for scripts/check_image.py: how it is built without an engine, and what is amiss with it."""
