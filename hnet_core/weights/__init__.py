"""Sources of the weights of a target network: generated, its own, or masked."""
