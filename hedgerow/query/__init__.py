"""The grammar that all insights share: pure, from query JSON to SQL expression."""
