"""Explicit carving: a body fitted to six views, remeshed under them, and coloured."""
