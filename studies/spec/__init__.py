"""The sweep spec: reading, checking and changing it; search spaces, conditions and constraints."""
