"""The rows of bench.documents drawn by WeasyPrint, where it is installed; prints how many seconds that took."""

from __future__ import annotations

import json
import sys
import time
from html import escape


def main() -> None:
    """Rows as JSON on standard input."""
    from weasyprint import HTML  # type: ignore[import-not-found, unused-ignore]  # no requirement of ours

    given = json.load(sys.stdin)
    begin = time.perf_counter()
    heads = "".join(f"<th>{escape(head)}</th>" for head in given["heads"])
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in given["rows"])
    page = (
        "<html lang=en><head><title>Introduction to Logic</title><style>@page{size:A4;margin:15mm}"
        "body{font:9pt 'Noto Sans'}table{width:100%;border-collapse:collapse}td,th{text-align:left}"
        "td{border-bottom:.4pt solid #dfe3e8}</style></head><body><h1>Introduction to Logic</h1>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></body></html>"
    )
    HTML(string=page).write_pdf(pdf_variant="pdf/ua-1")
    sys.stdout.write(f"{time.perf_counter() - begin}\n")


if __name__ == "__main__":
    main()
