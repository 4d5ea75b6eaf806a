"""What ingest is compared with: a FastAPI route that reads the body and answers 201; run as a process of its own."""

import json
import socket
import sys

import uvicorn
from fastapi import FastAPI, Request, Response


def main() -> None:
    app = FastAPI()

    @app.post("/api/v1/lineage")
    async def take(request: Request) -> Response:
        body = await request.body()
        return Response(b'{"seq":%d}' % len(body), 201, media_type="application/json")

    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}) + "\n")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
