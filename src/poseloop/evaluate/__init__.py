"""Metrics, meshes from views, independent judges and statistics."""
