"""The hexagon: what chamberlog is about, without framework, database or broker."""
