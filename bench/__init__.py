"""How fast Rollcall is, beside a bare server and a plain Django view in the same run: `python -m bench`."""
