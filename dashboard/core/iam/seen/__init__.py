"""What is read of an account's roles: who works as them, what they were seen to do, and what that named."""
