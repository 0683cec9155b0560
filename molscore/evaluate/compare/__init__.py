"""How molecules compare with a reference: geometry, composition, the Fréchet ChemNet distance."""
