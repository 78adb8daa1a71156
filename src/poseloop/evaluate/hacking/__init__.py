"""Reward hacking, measured: what rises with the reward, and what does not."""
