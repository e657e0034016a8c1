"""Sources of the weights a target network runs with: generated, its own, or masked."""
