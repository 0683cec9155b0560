"""Checks of a molecule: faults, structural alerts, filters, descriptors."""
