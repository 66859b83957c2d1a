"""What a person meets when AWS fails: every page and every action, under every fault, at the seam to AWS."""
