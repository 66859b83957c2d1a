"""Train, serve and run the dog-breed classifier: the same code on a laptop, on EC2, on SageMaker and embedded."""
