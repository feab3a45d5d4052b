"""Jobs: work on many customers that runs in the background, survives a restart of its process and takes effect exactly
once.

Each transaction stores the effect of a chunk together with the job's progress. A killed process therefore neither loses
nor repeats a chunk."""
