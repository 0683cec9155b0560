"""Chemistry: arrays and RDKit molecules, decoding, validity, SDF files. Imports RDKit, Bio and numpy; never torch."""
