"""The roof: command line, settings, wiring and the adapters to databases, broker and files."""
