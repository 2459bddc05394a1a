"""Payload → messages: the native one, HJ 212, and the dialects of the field."""
