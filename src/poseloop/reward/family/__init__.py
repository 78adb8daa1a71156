"""Ways of fine-tuning by a differentiable reward, one file each behind one interface."""
