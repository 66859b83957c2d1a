"""Lambda functions that answer photos through an endpoint: read, deploy, keep warm, protect, try, take away."""
