"""Surface water: records of sections, their means over periods, and the state of rivers."""
