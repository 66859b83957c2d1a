"""Which rights each service's requests need, by the Service Authorization Reference: one module a service or two."""
