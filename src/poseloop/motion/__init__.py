"""Motion sources, retargeting, selection and statistics of poses."""
