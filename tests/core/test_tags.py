from dashboard.core import tags


def test_both_of_awss_ways_of_writing_tags():
    listed = tags.of_plan("4f2a9c")
    assert listed == [
        {"Key": "kennel:made-by", "Value": "kennel"},
        {"Key": "kennel:token", "Value": "4f2a9c"},
    ]
    assert tags.of_plan("4f2a9c", "dogs-1")[-1] == {"Key": "kennel:run", "Value": "dogs-1"}
    assert tags.as_dict(listed) == {"kennel:made-by": "kennel", "kennel:token": "4f2a9c"}


def test_tags_are_read_over_all_pages(aws, fake):
    pages = [{"Tags": [{"Key": "a", "Value": "1"}], "NextToken": "x"}, {"Tags": [{"Key": "b", "Value": "2"}]}]
    fake.on("ListTags", lambda _: pages.pop(0))
    assert tags.of_sagemaker(aws, "arn:aws:sagemaker:us-east-1:123456789012:model/dogs") == {"a": "1", "b": "2"}
