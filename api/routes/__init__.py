"""HTTP routes: they speak HTTP and use cases only."""
