"""What can go wrong in a training run, named by meaning.

TrainingError        str() is one sentence: what happened, why, what to do next
├── BadSettings      a hyperparameter or a path is wrong
├── BadSource        the data cannot be had: no such folder, a broken or hostile zip, no network, no permission
├── BadDataset       the data cannot train a classifier
├── BadWeights       the backbone's weights cannot be had, or are not that backbone's
├── DiskFull         there is no room for what has to be written
├── HostLost         another process of the same run is gone
├── Diverged         the loss is no number any more
└── Stopped          somebody asked the run to stop before there was anything to keep

Photos, models and archives have errors of their own (images.BadPhoto, inference.BadModel, archive.BadArchive), because
those modules also live outside this package.
"""


class TrainingError(Exception):
    """The run ends with exit code 1, and this sentence is its failure reason."""


class BadSettings(TrainingError):  # noqa: N818
    pass


class BadDataset(TrainingError):  # noqa: N818
    pass


class BadSource(TrainingError):  # noqa: N818
    pass


class BadWeights(TrainingError):  # noqa: N818
    pass


class DiskFull(TrainingError):  # noqa: N818
    pass


class HostLost(TrainingError):  # noqa: N818
    pass


class Diverged(TrainingError):  # noqa: N818
    pass


class Stopped(TrainingError):  # noqa: N818
    pass
