"""Tables, JSON, CSV and Parquet for the command line."""
