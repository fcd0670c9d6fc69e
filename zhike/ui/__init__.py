"""The shell, the parts and the style sheet that every page is made of; it knows nothing of the features."""
