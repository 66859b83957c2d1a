"""The server that one writes first: `python -m tests.bench.plain_server resnet50|lite0`.

One thread for each connection, every photo decoded at full size and run alone through eager torch, as the reference
projects' inference scripts do in a model server of one worker for each core. The weights of ResNet-50 are random.
"""

import io
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch
from PIL import Image

from tests.bench.plain_training import plain_network, plain_transform


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    backbone = sys.argv[1]
    network = plain_network(backbone, 133).eval()
    transform = plain_transform(backbone == "lite0")
    # As many at once as a model server has workers; the others wait.
    workers = threading.BoundedSemaphore(os.cpu_count() or 1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one packet for headers and body

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with workers, torch.no_grad():
                scores = network(transform(Image.open(io.BytesIO(body)).convert("RGB"))[None])
            answer = json.dumps(scores.tolist()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            """Thousands of lines would be measured too."""

    server = _Server(("127.0.0.1", 0), Handler)
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
