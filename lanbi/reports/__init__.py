"""Reports: stored figures as pages that can be printed and defended. They compute nothing; their numbers are those of the API."""
