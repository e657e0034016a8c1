"""The output regulariser of the fast engine, in its Gram and its direct form."""
