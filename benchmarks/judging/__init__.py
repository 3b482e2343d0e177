"""What the benchmarks of quality share: prompts with what they ask for, and the lines that figures are printed as."""
