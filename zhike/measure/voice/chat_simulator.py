"""A stand-in for a language model: speaks its protocol, judges by our lists of cues, and fails on command.

`python -m zhike.measure.voice.chat_simulator` serves one on 127.0.0.1:11434 to try the settings with.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from zhike.measure.mining import cues, wording, words

KEY = "simulated"
MODEL = "cues-1"
PORT = 11434
BY_ANSWERS = {
    frozenset({"negative", "neutral", "positive"}): (cues.sentiments, ("negative", "neutral", "positive")),
    frozenset({"request", "problem", "experience"}): (cues.kinds, ("request", "problem", "experience")),
}


class Simulator(ThreadingHTTPServer):
    """One server; `mode` says how it answers next: well, error, busy, slow, garbage, prose, disallowed or elsewhere."""

    daemon_threads = True

    def __init__(self, port: int = 0, *, mode: str = "well") -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.mode = mode
        self.asked: list[dict[str, Any]] = []
        self.paused = 3.0

    @property
    def url(self) -> str:
        """What CHAT_URL is set to."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Simulator

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        self.server.asked.append(given)
        if self.path != "/v1/chat/completions":
            self._say(404, {"error": {"message": f"Unknown request URL: POST {self.path}"}})
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            self._say(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        elif given.get("model") != MODEL:
            self._say(404, {"error": {"message": f"The model {given.get('model')} does not exist"}})
        else:
            self._moody(given)

    def _moody(self, given: dict[str, Any]) -> None:
        match self.server.mode:
            case "error":
                self._say(500, {"error": {"message": "The server had an error"}})
            case "busy":
                self._say(429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}})
            case "slow":
                time.sleep(self.server.paused)
                self._say(200, completion("{}"))
            case "garbage":
                self._raw(200, b"<html>gateway</html>")
            case "prose":
                self._say(200, completion("I am sorry, but I cannot do that."))
            case "disallowed":
                self._say(200, completion(json.dumps({"answers": [{"n": 1, "answer": "hacked", "confidence": 1}]})))
            case "elsewhere":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/")
                self.end_headers()
            case _:
                self._say(200, completion(f"```json\n{json.dumps(answered(given))}\n```"))

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self._raw(status, json.dumps(body).encode())

    def _raw(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests read the log."""


def answered(given: dict[str, Any]) -> dict[str, Any]:
    """Return the answers to a question, by our lists of cues."""
    question = json.loads(given["messages"][-1]["content"])
    allowed = question["allowed_answers"]
    texts = [wording.plain(one["text"]) for one in question["texts"]]
    ask, names = BY_ANSWERS.get(frozenset(allowed), (cues.topics, (*words.TOPICS, "other")))
    logs = ask(texts)
    rows = []
    for one, row in zip(question["texts"], logs, strict=True):
        best = names[int(row.argmax())]
        answer = best if best in allowed else allowed[-1]
        rows.append({"n": one["n"], "answer": answer, "confidence": round(float(np.exp(row.max())), 3)})
    return {"answers": rows}


def completion(content: str) -> dict[str, Any]:
    """Return the answer of a service around what its model said."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


if __name__ == "__main__":
    simulator = Simulator(PORT)
    sys.stderr.write(f"{simulator.url}, model {MODEL}, key {KEY}\n")
    simulator.serve_forever()
