"""Stored facts over HTTP, and the web board."""
