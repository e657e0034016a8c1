"""Samplers, early stopping and the storage of Optuna."""
