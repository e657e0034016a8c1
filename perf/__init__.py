"""Measurements and experiments, run from the root of the repository: `python -m perf.NAME`; not part of the wheel.

Measurements of speed: step, trial, processes, partial (training), sweep and queries (service and database); report
writes their results into docs/performance.md. Experiments: presets (does every preset train?), chaos (does a sweep
survive kills?), moasha (does early stopping find better trade-offs?), calibration (do intervals cover, are verdicts
wrong?). The other modules hold their settings, tools and data.
"""
