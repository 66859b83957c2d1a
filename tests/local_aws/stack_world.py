"""Stacks for tests: a template of every kind that is made here, and waiting for what becomes of a stack."""

import json
import time
from typing import Any

from tests.conftest import Embedded

TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Description: Everything that can be made
Parameters:
  Name:
    Type: String
    AllowedPattern: "[a-z0-9-]+"
  Days:
    Type: Number
    Default: 30
  WithProfile:
    Type: String
    Default: "yes"
    AllowedValues: ["yes", "no"]
Conditions:
  HasProfile: !Equals [!Ref WithProfile, "yes"]
Resources:
  Profile:
    Type: AWS::IAM::InstanceProfile
    Condition: HasProfile
    Properties:
      InstanceProfileName: !Sub "${Name}-profile"
      Roles: [!Ref Role]
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: !Join ["-", [!Ref Name, policy]]
      Path: /kennel/
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "s3:GetObject", Resource: !Sub "${Bucket.Arn}/*"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Name}-role"
      Description: works in tests
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}
      ManagedPolicyArns: [!Ref Policy]
      Policies:
        - PolicyName: logs
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: "logs:PutLogEvents", Resource: !GetAtt Log.Arn}
      Tags: [{Key: made-for, Value: tests}]
  Log:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "/${Name}/log"
      RetentionInDays: !Ref Days
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      BucketName: !Sub "${Name}-${AWS::AccountId}"
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
  OnlyTls:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: "s3:*"
            Resource: [!GetAtt Bucket.Arn, !Sub "${Bucket.Arn}/*"]
            Condition: {Bool: {"aws:SecureTransport": "false"}}
Outputs:
  RoleArn: {Value: !GetAtt Role.Arn, Description: the role}
  ProfileArn: {Condition: HasProfile, Value: !GetAtt Profile.Arn}
"""
NAMED = ["CAPABILITY_NAMED_IAM"]


def given(**values: Any) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in values.items()]


def logs_template(*names: str, kind: str = "AWS::Logs::LogGroup", **more: Any) -> str:
    """A template of log groups, by their own names."""
    made = {f"Log{place}": {"Type": kind, "Properties": {"LogGroupName": name}} for place, name in enumerate(names)}
    return json.dumps({"Resources": made | more})


def settled(aws: Embedded, name: str, seconds: float = 60) -> dict[str, Any]:
    """The stack once nothing goes on with it any more."""
    cloudformation = aws.client("cloudformation")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            found: dict[str, Any] = stack
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is still {stack['StackStatus']}")


def made(aws: Embedded, name: str, template: str, parameters: list[dict[str, str]] | None = None, **more: Any) -> str:
    """Make a stack by a change set, and wait for it; its ARN."""
    cloudformation = aws.client("cloudformation")
    asked = {"TemplateBody": template, "Parameters": parameters or [], "Capabilities": NAMED} | more
    answer = cloudformation.create_change_set(StackName=name, ChangeSetName="make", ChangeSetType="CREATE", **asked)
    cloudformation.execute_change_set(ChangeSetName=answer["Id"])
    stack: str = settled(aws, answer["StackId"])["StackId"]
    return stack


def reasons(aws: Embedded, name: str) -> list[tuple[str, str, str]]:
    """What happened, the oldest first: whose it is, status, why."""
    pages = aws.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=name)
    found = [
        (one["LogicalResourceId"], one["ResourceStatus"], one.get("ResourceStatusReason", ""))
        for page in pages
        for one in page["StackEvents"]
    ]
    return found[::-1]
