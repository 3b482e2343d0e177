"""The session: how rooms and queue were left, in a file that the next start reads, also after a crash."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ddmi_core.support.files import write_text
from ddmi_core.support.paths import user_data
from studio.state.form import GenerateForm
from studio.state.paused import PausedWork

log = logging.getLogger(__name__)


class Session(BaseModel):
    """What is found again at the next start. Rooms are named by their domains."""

    model_config = ConfigDict(frozen=True)

    room: str = ""
    """The room that the person was in; empty for none."""
    forms: dict[str, GenerateForm] = {}
    shown: dict[str, str] = {}
    """The ids of the items on the stages."""
    waiting: tuple[PausedWork, ...] = ()
    """What was still to be generated."""


def session_file() -> Path:
    """Where the session of this person lies."""
    return user_data() / "session.json"


def read_session(path: Path) -> Session:
    """The session in a file. What is not there, or cannot be read, is as in a first session; the rest counts."""
    content = read_json(path)
    kept = {}
    for name in Session.model_fields:
        if isinstance(content, dict) and name in content:
            try:
                kept[name] = getattr(Session.model_validate({name: content[name]}), name)
            except ValidationError as error:
                log.warning("%s of the session in %s cannot be read: %s", name, path, error)
    return Session(**kept)


def write_session(session: Session, path: Path) -> None:
    """Write a session; where that is not possible, the next start finds the one before."""
    write_kept(session.model_dump_json(indent=2), path)


def read_json(path: Path) -> object:
    """What is in a file that the studio keeps for its next start; None if it is not there or cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read: %s", path, error)
        return None


def write_kept(content: str, path: Path) -> bool:
    """Write a file that the studio keeps for its next start. Whether that was possible."""
    try:
        write_text(path, content)
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error)
        return False
    return True
