"""The process that schedules trials and writes their results."""
