"""What trainings learn from: buckets, data sets, how they come into the account and how they are put right."""
