"""Building blocks that know nothing of the studio's state: the 3D viewport, the prompt box, the seed field, toasts."""
