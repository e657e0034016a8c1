"""The only code that writes studies, trials and results."""
