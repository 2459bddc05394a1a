"""Evidence packages: what a source said, what was made of it, and a script that checks both without lanbi."""
