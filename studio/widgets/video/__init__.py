"""What a clip is looked at with: the moving picture and the timeline."""
