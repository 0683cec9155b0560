"""Judges delivered geometries with code and tables of its own: nothing here imports the product."""
