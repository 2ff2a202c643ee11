"""Data sets: readers, cleaning and the one form that the rest of training reads."""

from training.datasets.errors import DatasetError
from training.datasets.fingerprint import fingerprint
from training.datasets.format import ACTIONS, SPLITS, UNKNOWN_TIME_MS, Dataset
from training.datasets.report import CleaningReport
from training.datasets.settings import Cleaning
from training.datasets.source import open_dataset

__all__ = [
    "ACTIONS",
    "SPLITS",
    "UNKNOWN_TIME_MS",
    "Cleaning",
    "CleaningReport",
    "Dataset",
    "DatasetError",
    "fingerprint",
    "open_dataset",
]
