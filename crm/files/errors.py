"""The error for files that cannot be read."""


class Unreadable(Exception):
    """The file is not in a supported format or exceeds the reader's limits. The message is for the person who sent the
    file."""
