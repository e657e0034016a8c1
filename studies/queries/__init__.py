"""The only code that reads studies, trials and results."""
