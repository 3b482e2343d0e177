"""What the paper compares itself with, small and on the project's own data, likelihoods, loop and figures.

`functa`: a SIREN whose shifts come from a latent that a few gradient steps fit to a signal (Dupont et al. 2022).
`pe`: the same encoder as the method's, but positional encodings that are fixed; the latent changes the network that
reads them. That is the paper's claim turned round: it makes the encodings and leaves the network alone. (The ablation's
single scale still makes its encodings.) Either latent is a vector, which a residual MLP learns to denoise.
"""
