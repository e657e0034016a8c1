"""The output regulariser of von Oswald et al. (2020), its snapshots and its look-ahead."""
