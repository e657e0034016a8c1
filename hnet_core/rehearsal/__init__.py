"""Rehearsal: training on the present task together with inputs of earlier ones, sampled or real."""
