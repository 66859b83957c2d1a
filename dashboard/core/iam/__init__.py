"""IAM: policy documents and what they allow, by AWS's documented rules, without asking AWS."""
