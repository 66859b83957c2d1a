"""What costs money and serves nobody, its evidence, and what can be done about it."""
