"""What every part leans on: errors, files, paths, progress, threads, memory, processes. Knows nothing of signals."""
