"""Figures of one trained model, as `hnet trial export` writes it."""
