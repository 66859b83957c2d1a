"""`python -m dashboard.verify --profile NAME`: try Kennel against a live account, and delete all that was made."""

import sys

from dashboard.verify.command import main

sys.exit(main())
