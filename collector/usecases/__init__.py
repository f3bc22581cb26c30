"""What chamberlog does: each use case is a class with one `__call__`, given its ports at construction."""
