"""Air: hours become AQI, days, city days and years, by the tables of :mod:`domain.air`."""
