"""The same workloads through other people's clients and ours, against our server: `python -m benchmarks.peers`.

What is measured, how each client is driven, and the latest figures: docs/reference/comparison.md.
"""
