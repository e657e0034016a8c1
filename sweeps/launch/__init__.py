"""Ways to start a sweep: batch jobs of a cluster (Slurm, Kubernetes), and processes that outlive their parent."""
