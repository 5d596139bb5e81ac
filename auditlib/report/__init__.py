"""The audit as something to look at: one function for each cell of a notebook, and the page made of them."""
