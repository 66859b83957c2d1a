"""The Lambda function that stands between callers and a model's endpoint; standard library and boto3 only.

Its settings are environment variables of the function: ENDPOINT_NAME says which endpoint is asked. Every event that it
takes is described in `question`, every answer in `answer`.
"""
