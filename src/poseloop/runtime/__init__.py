"""Seeds, errors, atomic files, config loading, checkpoints and command lines."""
