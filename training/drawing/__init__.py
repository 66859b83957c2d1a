"""Dogs and places drawn with Pillow, so that there is something to train on without any picture from outside."""
