"""Models that answer: endpoints, deploying and deleting them, and asking one about a photo."""
