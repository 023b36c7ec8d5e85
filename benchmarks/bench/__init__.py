"""Tools of the benchmarks: contestants, test bed, statistics and report."""
