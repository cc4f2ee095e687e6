"""The composition root: builds every part, introduces them to each other, runs them."""
