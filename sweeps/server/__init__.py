"""`hnet serve`: the studies of a database as live pages and as an API, for people and programs with a token.

The pages are rendered here, from the same queries, tables and figures as the reports; a script of the package updates
parts of them. Nothing is requested from anywhere else.
"""
