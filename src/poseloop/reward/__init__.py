"""PoseScore and fine-tuning by its gradient."""
