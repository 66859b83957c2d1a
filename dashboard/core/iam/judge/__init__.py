"""The audit of roles, rule by rule: what each kind of finding is, and the score of all of them."""
