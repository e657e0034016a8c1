"""Batch jobs that run a sweep on a cluster: scripts for Slurm and RayJobs for Kubernetes."""
