"""The pictures of a report, as SVG: each a pure function of the report, with its words and its numbers as a table."""
