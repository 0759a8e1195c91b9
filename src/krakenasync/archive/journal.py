"""Rows on disk and, beside them, a record of how many are valid.

Rows are appended and reach the disk first; then a small file beside them is replaced in one step, which says up to
which byte they are valid and where the iteration was at that point. Anything after that byte when a run begins was
written by a run that was killed: it is cut off, and those rows are fetched again. So rows and cursor always agree.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, Self

import msgspec

from krakenasync.archive.formats import read
from krakenasync.errors import ConfigurationError

__all__ = ["BEGIN_ANEW", "FULL", "Journal", "Position"]

BEGIN_ANEW: Final = "move both files away and start again"
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a full or failing disk says, in contrast to a file that cannot be used."""
_ENDING: Final = 4096
"""Bytes."""


class Position(msgspec.Struct, kw_only=True):
    """The valid part of a file of rows.

    Attributes:
        kind: The kind of list in the file.
        filters: The filters of the call.
        offset: How many bytes of the file are valid.
        ending: A hash of the last of them, to notice if another program has saved the file since.
        rows: The rows in those bytes.
        cursor: Where the iteration under way is; None between two runs.
        seen: Rows that the iteration under way has received, including those known before.
        since: The time from which it asks; None for the beginning.
        newest: The time of the newest row it has received.
        covered: All rows up to this time are there; the next run fetches newer ones.
        base_url: The address it was fetched from.
        key_id: A hash that identifies the key it was fetched with; None if no key is needed.
    """

    kind: str
    filters: dict[str, Any]
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    ending: str = ""
    rows: int = 0
    cursor: str | None = None
    seen: int = 0
    since: str | None = None
    newest: str | None = None
    covered: str | None = None
    base_url: str | None = None
    key_id: str | None = None


class Journal:
    """A file of rows with its position beside it. Use it as a context manager.

    Args:
        path: The file of rows; the position is beside it, with ``.position`` appended to the name.
        form: ``"csv"`` or ``"ndjson"``.
        kind: The kind of list.
        filters: The filters of the call.
        source: Where it is fetched from and with which key: base URL and key id.
        adopt: Continue a file from another source.

    Raises:
        ConfigurationError: The file is not as such a journal left it.
    """

    def __init__(
        self,
        path: Path,
        form: str,
        kind: str,
        filters: dict[str, Any],
        source: tuple[str, str | None],
        *,
        adopt: bool = False,
    ) -> None:
        self.path = path
        self._form = form
        self._adopt = adopt
        self._beside = path.with_name(f"{path.name}.position")
        self._file = _open(path)
        try:
            _claim(self._file, path.name)
            self.position = self._find(kind, filters, source)
            self.position.base_url, self.position.key_id = source
            self._write_position()  # before any row, so that a run killed on the first page leaves a known file
            self._file.truncate(self.position.offset)
            self._file.seek(0, os.SEEK_END)  # it was after the part that was cut off
        except BaseException as error:
            self._file.close()
            if isinstance(error, OSError) and error.errno not in FULL:
                raise _unusable(path, error) from error
            raise

    def _find(self, kind: str, filters: dict[str, Any], source: tuple[str, str | None]) -> Position:
        """Read the position, and make sure that it belongs to this file and this call."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if not self._beside.exists():
            if size:
                raise ConfigurationError(
                    f"{self.path.name} exists, and no position file beside it says how much of it is valid",
                    hint="choose another name: it is not overwritten",
                )
            return Position(kind=kind, filters=filters)
        try:
            found = msgspec.json.decode(self._beside.read_bytes(), type=Position)
            for moment in filter(None, (found.since, found.newest, found.covered)):
                datetime.fromisoformat(moment)
        except (msgspec.MsgspecError, ValueError):
            raise ConfigurationError(f"{self._beside.name} cannot be read", hint=BEGIN_ANEW) from None
        if not found.offset:
            return Position(kind=kind, filters=filters)  # the run before got nothing, perhaps by a wrong call
        if (found.kind, found.filters) != (kind, filters):
            raise ConfigurationError(
                f"{self.path.name} contains {found.kind} of {found.filters or 'everything'}, not what is asked for now",
                hint="ask for the same again, or choose another name",
            )
        if not self._adopt:
            _same_source(self.path.name, found, source)
        if size < found.offset:
            raise ConfigurationError(f"{self.path.name} is shorter than it was left", hint=BEGIN_ANEW)
        if found.ending and found.ending != self._ending(found.offset):
            raise ConfigurationError(f"{self.path.name} was changed since it was left", hint=BEGIN_ANEW)
        return found

    def _ending(self, offset: int) -> str:
        """Hash the bytes before an offset in the file."""
        with self.path.open("rb") as file:
            file.seek(max(0, offset - _ENDING))
            return hashlib.sha256(file.read(min(offset, _ENDING))).hexdigest()

    def append(self, line: bytes) -> None:
        """Add a line, which becomes valid with the next `commit`."""
        self._file.write(line)

    def commit(self) -> None:
        """Make everything that was appended valid, in one step."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self.position.offset = self._file.tell()
        self.position.ending = self._ending(self.position.offset)
        self._write_position()

    def _write_position(self) -> None:
        """Replace the position file in one step."""
        draft = self._beside.with_name(f"{self._beside.name}.new")
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(self.position))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._beside)
        _sync_folder(self._beside.parent)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Read the rows back."""
        with self.path.open(encoding="utf-8", newline="") as lines:
            yield from read(lines, self._form)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close the file; the next run cuts off what was not committed."""
        self._file.close()


def _same_source(name: str, found: Position, source: tuple[str, str | None]) -> None:
    """Make sure that rows of two accounts, or of Kraken and a sandbox, are never mixed in one file.

    Raises:
        ConfigurationError: The file was fetched from elsewhere, or with another key.
    """
    base_url, key_id = source
    if found.base_url not in {None, base_url}:
        raise ConfigurationError(
            f"{name} was fetched from {found.base_url}, not from {base_url}",
            hint="choose another name; or --adopt (adopt=True) if both are the same exchange under two addresses",
        )
    if found.base_url is not None and found.key_id != key_id:
        raise ConfigurationError(
            f"{name} was fetched with another key (named {found.key_id}, this one {key_id})",
            hint="choose a name for each account; or --adopt (adopt=True) if it is a new key of the same account",
        )


def _open(path: Path) -> BinaryIO:
    """Open the file to add to it.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    try:
        return path.open("ab")
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    """Make the error for a file, or the position beside it, that cannot be written here."""
    return ConfigurationError(
        f"{path} cannot be written: {error.strerror}", hint="does its folder exist, and are both yours?"
    )


def _claim(file: BinaryIO, name: str) -> None:
    """Lock the file against a second run; the lock ends with the process, however that ends.

    Raises:
        ConfigurationError: Another run is writing to it.
    """
    try:
        fcntl: Any = importlib.import_module("fcntl")
    except ModuleNotFoundError:
        return  # Windows has no such lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigurationError(f"another run is writing to {name}", hint="wait for it to end") from None


def _sync_folder(folder: Path) -> None:
    """Write the position file's new name to disk, where the system can do that."""
    with suppress(OSError):  # Windows cannot open folders, and need not
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
