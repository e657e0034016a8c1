"""The only code that writes studies, trials and results."""

from studies.store.leases import LeaseLost
from studies.store.store import Store, StudyExists, TrialFinished

__all__ = ["LeaseLost", "Store", "StudyExists", "TrialFinished"]
