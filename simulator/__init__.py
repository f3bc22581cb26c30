"""Simulated HTTP devices on real sockets."""
