"""What is said of a molecule: faults, structural alerts, filters, descriptors."""
