"""Two runs side by side: which numbers differ, and what differs in what made them."""
