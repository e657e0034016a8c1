"""Tables, JSON, CSV and Parquet for the command line."""

from studies.output.formats import say, write, write_object

__all__ = ["say", "write", "write_object"]
