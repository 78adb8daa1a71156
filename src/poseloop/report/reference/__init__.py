"""The reference of all config files, made from their models."""
