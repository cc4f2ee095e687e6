"""JSON for programs, with PostHog's paths and shapes."""
