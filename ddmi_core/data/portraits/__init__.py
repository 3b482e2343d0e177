"""The portraits starter set: people put together from drawn parts, as vector pictures with exact captions."""
