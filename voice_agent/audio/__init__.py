"""Samples and nothing else."""
