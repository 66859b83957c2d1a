"""Measuring an endpoint: a bounded load test, the knee of its curve, and the scaling target that follows from it."""
