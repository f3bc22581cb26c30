"""From a device's answer to measurements: decode, select, number, unit, quality; driven by a profile."""
