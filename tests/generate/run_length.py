"""How many sampler steps the generation tests take: half of the default, to be quick."""

STEPS = 25
