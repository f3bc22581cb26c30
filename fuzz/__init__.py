"""Answers of devices, mutated by the million: the mapping must never throw, hang, or give a wrong number as good."""
