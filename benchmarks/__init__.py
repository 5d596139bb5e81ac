"""Benchmarks: `make bench` runs all of them in one go and prints ratios. Nothing here is a test."""
