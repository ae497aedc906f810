"""Every story, in the order in which they run."""

from stories import mail, push, shipped, clients  # noqa: F401
