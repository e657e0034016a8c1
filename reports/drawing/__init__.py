"""Scales, axes, marks and labels in SVG."""
