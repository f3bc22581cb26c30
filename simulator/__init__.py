"""Simulated devices: real sockets, real dialects, real faults, and a log of what was served when."""
