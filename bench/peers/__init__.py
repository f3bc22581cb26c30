"""What chamberlog replaces or could have been, for the bench: the same devices, the same rows, the same accounting."""
