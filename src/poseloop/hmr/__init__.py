"""Diffusion HMR, HMR-Scorer, preference pairs, DPO and cleaning (ADHMR)."""
