"""Types of the values in a configuration, and rules that complete it from its method; no torch is needed."""
