"""Rules that complete a configuration from the properties of its method; no torch is needed."""
