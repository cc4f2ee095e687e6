"""Who there is, and what they may."""
