"""The only code that reads studies, trials and results."""

from studies.queries.studies import Studies

__all__ = ["Studies"]
