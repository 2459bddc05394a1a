"""Kernels: plain loops over integers, compiled by numba; the only place that knows numba.

Rules for whoever edits here. A kernel never writes into its inputs, allocates nothing inside its loops, knows no table of the
law (tables come in as arrays) and no missing rule but the sentinels ``MISSING`` (int32 thousandths) and ``NONE`` (-1, for
counts, displayed units and AQI). Every kernel has a slow twin in ``tests/reference.py`` that was written from the standard.

All are ``nogil`` and cached on disk; ``error_model="numpy"`` because the ZeroDivision branch of the default model keeps
loops from being vectorised.
"""
