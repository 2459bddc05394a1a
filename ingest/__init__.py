"""Bytes become readings: listen, journal, decode, accept, revise, forward; the steps in that order."""
