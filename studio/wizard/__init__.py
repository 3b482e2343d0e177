"""The wizard that puts a new training run together."""
