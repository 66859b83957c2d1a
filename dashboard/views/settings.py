"""Which account is this, may it be changed, and is it ready for Kennel?"""

from dashboard.ui import settings

settings.show()
