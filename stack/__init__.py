"""The local stack: real servers from their wheels, supervised."""
