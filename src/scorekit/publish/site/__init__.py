"""The static site: leaderboard, charts, models, regions, calculator, methodology and data, from results and editions.

Plain files that work from a folder (file://) and on any static host, and ask nothing of any other host.
"""
