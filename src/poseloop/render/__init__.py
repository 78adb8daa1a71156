"""Cameras, appearance, two rendering back ends and skeleton maps."""
