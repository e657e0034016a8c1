"""Errors that this project raises on purpose; each names the rule, the value found and a remedy.

Every class has the exit code of the command line, so that an error means the same everywhere.
"""


class HnetError(Exception):
    """Root of all errors raised on purpose; its text is one line with a remedy."""

    exit_code = 1


class ConfigInvalid(HnetError, ValueError):
    """An invalid trial configuration or sweep spec.

    Attributes:
        key: dotted path of the offending key within the trial, where there is one, so that a spec can name its line.
    """

    exit_code = 2

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class UnsupportedTrial(ConfigInvalid):
    """An impossible combination of method, scenario, stream and target."""


class DatasetCorrupt(HnetError):
    """A data file that exists but has the wrong format or content."""

    exit_code = 2


class NotFound(HnetError):
    """A name without an object: no such study, trial, file or data set."""

    exit_code = 3


class DatasetMissing(NotFound):
    """A data set that is neither below the data root nor downloadable."""


class TrainingDiverged(HnetError):
    """The loss became NaN or infinite; the trial fails and is not retried."""
