"""Errors that the writer and the reader of a study database share."""

from hnet_core.errors import HnetError, NotFound


class StudyNotFound(NotFound):
    """A study name that is not in the database."""


class TrialNotFound(NotFound):
    """A trial number that is not in the study."""


class StudyBusy(HnetError):
    """A study whose lease a driver holds."""

    exit_code = 6


class QueryTimeout(HnetError):
    """A query that was stopped because it took too long."""
