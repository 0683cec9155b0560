"""Energies of wishes: what guidance may ask of molecules while they are made. One file each.

A wish is a function of molecules as they are expected at a diffusion time (`molscore.guidance.soft`), one number for
each, lower where it is better met. It is differentiable, so that samples can follow its slope, and it never judges what
is delivered: that is done by programs that know nothing of it.
"""
