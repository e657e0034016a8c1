"""Errors that the writer and the reader of a study database share."""

from hnet_core.errors import HnetError, NotFound


class StudyNotFound(NotFound):
    """A study name the database does not have."""


class TrialNotFound(NotFound):
    """A trial number the study does not have."""


class StudyBusy(HnetError):
    """A study that a driver is writing to now."""

    exit_code = 6
