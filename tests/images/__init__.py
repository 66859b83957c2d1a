"""AWS's images: what can be told from the sources (test_*.py, in every run), and what needs the versions themselves.

check_*.py run against an environment that tools/images.py built (`make images`), never in `make test`.
"""
