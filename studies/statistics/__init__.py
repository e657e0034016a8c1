"""Intervals, tests, verdicts, Pareto fronts and hypervolume; no database."""
