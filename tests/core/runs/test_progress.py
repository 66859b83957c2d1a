from dashboard.core.runs.progress import progress

LOG = """
12 classes, 240 photos in /opt/ml/input/data/training
progress=0.420 stage=features done=120 total=500 unit=photos eta_seconds=3.1
epoch=1/20 train_loss=0.9 train_accuracy=0.7 valid_loss=0.95 valid_accuracy=0.68
epoch=3/20 train_loss=0.5312 train_accuracy=0.9012 valid_loss=0.6000 valid_accuracy=0.8800
progress=0.900 stage=head done=3 total=20 unit=epochs eta_seconds=1.5
test_loss=0.43 test_accuracy=0.91
Testing Loss: 0.43
""".splitlines()


def test_where_it_is():
    now = progress(LOG)
    assert (now.stage, now.fraction, now.eta_seconds) == ("head", 0.9, 1.5)
    assert (now.done, now.total, now.unit) == (3, 20, "epochs")
    assert (now.epoch, now.epochs) == (3, 20)
    assert now.word == "training the head"


def test_curves_by_epoch():
    curves = progress(LOG).curves
    assert curves["train:loss"] == ((1, 0.9), (3, 0.5312))
    assert curves["valid:accuracy"] == ((1, 0.68), (3, 0.88))
    assert "progress" not in curves


def test_the_tests_figures_belong_to_no_epoch():
    assert progress(LOG).final == {"test:loss": 0.43, "test:accuracy": 0.91}


def test_an_empty_log_says_nothing():
    now = progress(["", "Traceback (most recent call last):", "loss is high today"])
    assert now.fraction is None
    assert now.stage == now.word == ""
    assert now.curves == {}


def test_a_restart_from_a_checkpoint_keeps_the_newer_value():
    lines = ["epoch=1/2 train_loss=0.9 train_accuracy=0.5", "epoch=1/2 train_loss=0.8 train_accuracy=0.6"]
    assert progress(lines).curves["train:loss"] == ((1, 0.8),)


def test_a_stage_that_training_adds_later_is_shown_as_it_is():
    assert progress(["progress=0.1 stage=warmup done=1 total=2 unit=steps"]).word == "warmup"


def test_a_fraction_stays_within_its_bar():
    assert progress(["progress=7"]).fraction == 1.0
    assert progress(["progress=-1"]).fraction == 0.0
    assert progress(["progress=0.5", "progress=nan"]).fraction == 0.5
