"""What an account needs for Kennel, what of it is missing, and the CloudFormation stack that makes it."""
