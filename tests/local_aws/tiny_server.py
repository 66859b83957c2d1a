"""A serving process for tests: python tiny_server.py [SETTING=VALUE…] --model-dir DIR --port N.

Answers /invocations with what it was sent and how it was sent. Settings: model=FILE (exit when the model lacks it),
delay=SECONDS before it listens, ping=STATUS. The body "die" ends it, "fail" is a 500, "bad" a 400, "sleep N" waits.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

arguments = sys.argv[1:]
settings = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
model_dir = Path(arguments[arguments.index("--model-dir") + 1])
port = int(arguments[arguments.index("--port") + 1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.answer(int(settings.get("ping", "200")), b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(9)
        if body == b"fail":
            self.answer(500, b'{"error": "the model broke"}', Content_Type="application/json")
        elif body == b"bad":
            self.answer(400, b"this is no photo", Content_Type="text/plain")
        elif body.startswith(b"sleep "):
            time.sleep(float(body[6:]))
            self.answer(200, b"awake")
        elif body == b"large":
            self.answer(200, b"x" * (7 * 1024 * 1024))
        elif body == b"chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n")
        elif body == b"close":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"until the end")
            self.close_connection = True
        elif body == b"garbage":
            self.wfile.write(b"SSH-2.0\r\n\r\n")
            self.close_connection = True
        else:
            told = {
                "path": self.path,
                "pid": os.getpid(),
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": body.decode("latin-1"),
                "model": sorted(str(path.relative_to(model_dir)) for path in model_dir.rglob("*")),
                "environment": dict(os.environ),
            }
            attributes = {"X-Amzn-SageMaker-Custom-Attributes": "trace=1"} if body == b"attributes" else {}
            self.answer(200, json.dumps(told).encode(), Content_Type="application/json", **attributes)

    def log_message(self, format: str, *args: object) -> None:
        print("request", format % args, flush=True)


if "model" in settings and not (model_dir / settings["model"]).exists():
    sys.exit(f"no {settings['model']} in the model")
time.sleep(float(settings.get("delay", "0")))
server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"listening on 127.0.0.1:{port}", flush=True)
server.serve_forever()
