"""Length of training, batches, optimisers, learning rates, and the choice of the weights that a task ends with."""
