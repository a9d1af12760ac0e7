"""A report as one page that needs no network: what it holds, and what it looks like."""
