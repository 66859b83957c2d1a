"""Which way of training is best: cost, duration and accuracy of what was run, and of what was not."""
