"""`lanbi simulate score`: what lanbi stored and raised, against the truth of a played scene."""
