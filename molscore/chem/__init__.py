"""Chemistry: arrays and RDKit molecules, decoding, validity, SDF files. Imports RDKit, numpy and SciPy; never torch."""
