"""Errors that a person reads: one clear sentence that says what happened and what to do about it."""


class DDMIError(Exception):
    """Base of all errors whose message is meant for the user as it stands."""


class ModelError(DDMIError):
    """A model folder is missing, damaged, of another domain or otherwise unusable."""


class DataError(DDMIError):
    """A user's file or folder cannot be used."""


class RecipeError(DataError):
    """A file carries a recipe that cannot be used; the rest of it may well be."""


class TooLongError(DataError):
    """A user's file lasts longer than can be read at once: one is asked for a span of it, in seconds."""

    def __init__(self, message: str, *, seconds: float, longest: float) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.longest = longest


class ExportError(DDMIError):
    """An export could not be written."""
