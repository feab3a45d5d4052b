"""What is said of a file that cannot be read."""


class Unreadable(Exception):
    """The file is not what it should be, or would do harm to its reader; the message is for who sent it."""
