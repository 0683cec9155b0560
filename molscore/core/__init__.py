"""The general core: diffusion SDEs, score-matching losses and samplers, with no chemistry in them.

Everything here takes a state `z` of any shape `(N, ...)`, times `t` in [0, 1] that broadcast against it (0 is data,
1 is noise), and an injected score function and noise function. One code serves a 1-D Gaussian and a molecule.

* `sde`: the noising processes, their marginals and their time reversals.
* `losses`: denoising score matching, with a choice of weightings.
* `denoiser`: the posterior mean, and the score as a view of it.
* `samplers`: ways from noise back to data; `guidance`: to other densities than the data's.
"""
