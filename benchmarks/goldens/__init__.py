"""What `benchmarks/golden.py` is made of: collect outputs, read pages, break small companies."""
