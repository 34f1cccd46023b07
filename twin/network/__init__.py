"""The network twin: cells, slices and users as a batched torch simulation."""
