"""Figures of studies with three or more objectives."""
