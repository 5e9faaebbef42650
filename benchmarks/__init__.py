"""Speed and size, measured: `python -m benchmarks.core`. The figures are in docs/reference/benchmarks.md."""
