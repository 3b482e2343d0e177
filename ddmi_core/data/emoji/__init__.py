"""The emoji sets, still and animated."""
