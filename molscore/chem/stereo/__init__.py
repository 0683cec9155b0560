"""Stereo of molecules: tags, the marks of inputs, hindered axes, cumulated double bonds."""
