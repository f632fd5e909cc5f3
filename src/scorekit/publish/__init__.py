"""What is shown of results: labels, charts and the site. Reads and draws; never measures."""
