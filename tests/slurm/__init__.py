"""Sweeps on a real Slurm of two nodes on this machine, each with a fake GPU of its own."""
