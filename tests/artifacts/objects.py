"""As much of S3 as a client of objects needs: put, ranged get, delete, uploads in parts."""

import re
import threading
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Bucket:
    """What the server was given, by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = defaultdict(dict)
        self.broken = False


@contextmanager
def s3() -> Iterator[tuple[str, Bucket]]:
    """An endpoint on a free port of 127.0.0.1."""
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _asked(self) -> tuple[str, dict[str, list[str]], bytes]:
            url = urllib.parse.urlsplit(self.path)
            body = self._body()
            return url.path, urllib.parse.parse_qs(url.query, keep_blank_values=True), body

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def do_PUT(self) -> None:
            key, query, body = self._asked()
            if bucket.broken:
                self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            elif "partNumber" in query:
                bucket.parts[query["uploadId"][0]][int(query["partNumber"][0])] = body
                self._answer(200, ETag='"part"')
            else:
                bucket.objects[key] = body
                self._answer(200, ETag='"whole"')

        def do_POST(self) -> None:
            key, query, body = self._asked()
            if "delete" in query:
                names = re.findall(r"<Key>(.*?)</Key>", body.decode())
                for name in names:
                    bucket.objects.pop(f"{key.rstrip('/')}/{name}", None)
                gone = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
                self._answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())
            elif "uploads" in query:
                upload = f"u{len(bucket.parts)}"
                bucket.parts[upload] = {}
                self._answer(
                    200,
                    f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode(),
                )
            else:
                parts = bucket.parts[query["uploadId"][0]]
                bucket.objects[key] = b"".join(parts[number] for number in sorted(parts))
                self._answer(
                    200,
                    b'<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>',
                )

        def do_GET(self) -> None:
            key, _, _ = self._asked()
            found = bucket.objects.get(key)
            if found is None:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
                return
            said = {"ETag": '"whole"', "Last_Modified": "Mon, 12 Oct 2009 17:50:00 GMT"}
            span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if span:
                first, last = int(span[1]), min(int(span[2]), len(found) - 1)
                self._answer(
                    206, found[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(found)}", **said
                )
            else:
                self._answer(200, found, **said)

        def do_DELETE(self) -> None:
            key, _, _ = self._asked()
            bucket.objects.pop(key, None)
            self._answer(204)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
