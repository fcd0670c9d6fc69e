"""What a file may hold and what its cells mean: plain Python, without database, clock or translation."""
