"""What a preset costs: hours, memory and disk, from its configs and measured rates."""
