"""Reports over finished studies: one offline HTML page each, with a CSV beside every figure.

Every number is derived from SQL when the report is written, and shown as mean, 95 % interval and number of seeds.
"""
