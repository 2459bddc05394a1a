"""Meters become figures: hours, days, months and years, energy, water and carbon, and clues on treatment."""
