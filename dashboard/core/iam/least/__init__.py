"""The least that a role needs: generated from its duty and from what it was seen to do, with the evidence."""
