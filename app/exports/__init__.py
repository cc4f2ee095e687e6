"""An answer becomes a file, streamed."""
