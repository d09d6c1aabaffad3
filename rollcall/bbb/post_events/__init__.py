"""What runs on a BigBlueButton host: modules in a small subset of Python, put together as one file by `single_file`.

That file runs on Python 3.5, without Rollcall and without anything installed. So these modules use the standard library
as it was then, plain classes, and paths that are text; a name of theirs is used once in all of them.
"""
