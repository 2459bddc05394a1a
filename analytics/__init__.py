"""Readings become indicators; no file, no socket, no clock."""
