"""A file for each format that finished SDF records are written in; `molscore.chem.io.formats` chooses."""
