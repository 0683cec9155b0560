"""Energies of molecules in a pocket, and the sum of them."""
