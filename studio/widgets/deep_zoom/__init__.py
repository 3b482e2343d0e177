"""The deep-zoom viewer: a picture without a resolution, drawn at the screen's own pixels however far one zooms in."""
