"""Measuring: the only part of scorekit that loads models."""
