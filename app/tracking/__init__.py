"""Time: rules first, then operations. No web, no clock: ``now`` is an argument."""
