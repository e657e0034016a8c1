"""The errors this project raises on purpose; each names what was wrong, where, and what to do.

Every class carries the exit code the command line ends with, so that an error means the same everywhere.
"""


class HnetError(Exception):
    """Root of all errors raised on purpose; its text is one line a user can act on."""

    exit_code = 1


class ConfigInvalid(HnetError, ValueError):
    """A trial configuration or a sweep spec that cannot be used as it stands.

    Attributes:
        key: dotted path of the offending key within the trial, where there is one, so that a spec can name its line.
    """

    exit_code = 2

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class UnsupportedTrial(ConfigInvalid):
    """A pair of method, scenario, stream or target that makes no sense together."""


class DatasetCorrupt(HnetError):
    """A data file that exists but cannot be read as what it should be."""

    exit_code = 2


class NotFound(HnetError):
    """Something asked for by name that does not exist."""

    exit_code = 3


class DatasetMissing(NotFound):
    """A data set that is neither below the data root nor downloadable."""


class TrainingDiverged(HnetError):
    """The loss became NaN or infinite; the trial fails and is not retried."""
