"""From the inbox to the store: what a batch of captured events changes."""
