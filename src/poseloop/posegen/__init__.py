"""PoseGen: articulated NeRF, generator of hard poses and cameras, estimators, and their loop."""
