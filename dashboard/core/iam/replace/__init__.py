"""Putting a proposal in a role's place: prove it, apply it in seven steps, take it back; and retiring old roles."""
