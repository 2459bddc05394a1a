"""Foreign and own files as rows: pure readers, from bytes to places, times and values, with the line of everything that is wrong.

A reader knows its source's habits (missing markers, units, swapped names, what a zero means) and nothing of the registry, the
journal or the store.
"""
