"""One module per AWS service that the embedded AWS implements itself."""
