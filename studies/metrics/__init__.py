"""Every metric by name, and its values from what was measured."""
