"""What is measured of each molecule: what a record holds, identity, stability, PoseBusters, relaxation."""
