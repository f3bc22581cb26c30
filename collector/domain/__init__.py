"""The rules, in the standard library only: frozen dataclasses and plain functions, no clock and no I/O."""
