"""Which account a person works in: the embedded AWS, or a profile of the AWS configuration, each in one region."""
