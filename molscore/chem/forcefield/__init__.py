"""Force fields: which can be trusted, what is corrected in them, and the minimisations that they serve."""
