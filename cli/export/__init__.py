"""Readings and gaps of a range as one table."""
