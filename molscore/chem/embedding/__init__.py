"""Embeddings by distance geometry: ETKDGv3, its bounds, stereo in strained cages."""
