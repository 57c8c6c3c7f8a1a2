"""URLs: which middlewares and which controller answer them; reads as tables."""
