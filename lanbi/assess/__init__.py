"""The calculator: CSV in, figures out, no store and no settings."""
