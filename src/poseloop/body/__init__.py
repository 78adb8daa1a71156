"""SMPL-family models, the open embedded body, joint sets."""
