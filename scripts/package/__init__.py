"""Wheel, sdist and SBOM for scripts/check_package.py: how they are made, and what is amiss with them."""
