"""Pose-conditioned image animation: one picture and a sequence of body renders in, frames out."""
