"""The pages of the reports, and each of them as a file. Everything a page shows is decided by its address."""
