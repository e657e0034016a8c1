"""Statistics of a report: recommendations, effects, importance, comparisons, reproduction."""
