"""A report of a study: one HTML file to read, with its tables as CSV and its figures as SVG."""
