"""Feedback loops on human pose: the library behind the workflow."""
