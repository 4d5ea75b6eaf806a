"""Blobs in an object store: S3, Google Cloud Storage, Azure, or whatever speaks S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from headwater_server.artifacts.blobs import CHUNK
from headwater_server.errors import Unavailable


class ObjectBlobs:
    """`Blobs` below a URL such as `s3://bucket/prefix`. Credentials and region come from the environment, by the
    cloud's own names (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_…`).
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.where = url
        self._store = from_url(url, **options)

    def write(self, key: str) -> "ObjectWriter":
        return ObjectWriter(self._store, key, self.where)

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        with _answering(self.where):
            while start < end:
                chunk = bytes(obstore.get_range(self._store, key, start=start, end=min(start + CHUNK, end)))
                if not chunk:
                    return
                start += len(chunk)
                yield chunk

    def delete(self, key: str) -> None:
        with _answering(self.where):
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                return


class ObjectWriter:
    """`Writer` of one object: in one request when it is small, in parts when it is not."""

    def __init__(self, store: Any, key: str, where: str) -> None:
        self._where = where
        self._store, self._key, self._closed = store, key, False
        self._writer = obstore.open_writer(store, key)

    def write(self, chunk: bytes) -> None:
        with _answering(self._where):
            self._writer.write(chunk)

    def close(self) -> None:
        with _answering(self._where):
            self._writer.close()
        self._closed = True

    def drop(self) -> None:
        """Parts that were sent already are the store's to forget (a life-cycle rule for multipart uploads)."""
        if not self._closed:
            del self._writer
            self._closed = True


@contextmanager
def _answering(where: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Unavailable(
            f"the artifacts at {where} do not answer ({said[:300]}). Check the address and the credentials, then try again."
        ) from error
