"""Rollcall inside an LMS: LTI 1.3 as a tool, over PyJWT."""
