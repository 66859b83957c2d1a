"""Kennel's own roles: made from the calls that its code makes, and held to the same audit as all others."""
