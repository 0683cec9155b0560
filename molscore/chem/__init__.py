"""Chemistry: arrays and RDKit molecules, decoding, validity, SDF files. Imports RDKit, numpy and SciPy; never torch."""

from rdkit import Chem

# RDKit's pickles leave out properties and round coordinates, so that what goes through a process pool would come back
# without titles, tags and energies. This holds for the whole process.
Chem.SetDefaultPickleProperties(
    Chem.GetDefaultPickleProperties() | Chem.PropertyPickleOptions.AllProps | Chem.PropertyPickleOptions.CoordsAsDouble
)
