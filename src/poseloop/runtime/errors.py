"""The one exception that a user can cause."""


class UserError(Exception):
    """A fault in what the user supplied: a file, a field, a machine without what was asked for.

    The message is one line that names the file or field and says what to do. `cli.run` prints it
    and exits with code 2.
    """
