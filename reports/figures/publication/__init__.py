"""Figures for papers, drawn by matplotlib with the axes of the page."""
