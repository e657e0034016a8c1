"""Building blocks of the fast engine: flat buffers and gradients written by hand."""
