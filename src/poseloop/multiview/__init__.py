"""Autoencoder, multi-view denoiser and its sampler."""
