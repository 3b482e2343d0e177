"""Errors that a person reads: one clear sentence that says what happened and what to do about it."""


class DDMIError(Exception):
    """Base of all errors whose message is meant for the user as it stands."""


class ModelError(DDMIError):
    """A model folder is missing, damaged, of another domain or otherwise unusable."""


class DataError(DDMIError):
    """A user's file or folder cannot be used."""


class ExportError(DDMIError):
    """An export could not be written."""
