"""Pockets of proteins: where a molecule may lie, and what the atoms around it offer."""
