"""Redis or Valkey: the latest readings."""
