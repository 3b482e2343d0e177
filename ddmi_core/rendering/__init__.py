"""From functions to what is seen: cameras, volume rendering, surfaces and their simplification, pictures of meshes."""
