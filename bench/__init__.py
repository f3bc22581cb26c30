"""The bench: what a reading costs on the real stack, by the operating system's own accounting."""
