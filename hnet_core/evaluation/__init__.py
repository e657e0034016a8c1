"""Evaluation of trained methods: in the scenarios, and over the space of task embeddings."""
