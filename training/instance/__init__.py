"""One training on an EC2 instance: what SageMaker does around a container, done by the instance itself.

`python -m training.instance` reads the run's request from S3, lays out SageMaker's container contract in /opt/ml,
trains with training.train, ships the log and the use of the machine to CloudWatch, keeps the checkpoints and the model
in S3, and says in S3 how it goes (status.json). The user data that started it ends the instance afterwards.
"""
