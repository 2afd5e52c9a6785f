"""Starts the built server on free ports in a folder of its own, for tests with clients from elsewhere."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIST = pathlib.Path(os.environ.get("MAILWRIGHT_DIST", ROOT / "dist"))
COMMAND = [os.environ.get("MAILWRIGHT_NODE", "node"), str(DIST / "cli/main.js")]
ALICE = "alice@example.test"
BOB = "bob@example.test"
PASSWORD = "secret"


class Server:
    """A running `mailwright serve --json`; `port["imap"]` and so on tell where.

    `listen` names further listeners; other options go into the configuration as they are.
    """

    def __init__(self, wrapper=(), listen=(), **options):
        self.folder = tempfile.mkdtemp(prefix="mailwright-")
        self.config = os.path.join(self.folder, "mailwright.json")
        self.wrapper = list(wrapper)
        names = ["smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps", *listen]
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(
                {
                    "hostname": "localhost",
                    "data": "data",
                    "listen": {name: "127.0.0.1:0" for name in names},
                    "domains": {
                        "example.test": {
                            "users": {"alice": {"password": PASSWORD}, "bob": {"password": PASSWORD}},
                            "aliases": {"info": [ALICE, BOB]},
                        }
                    },
                    **options,
                },
                file,
            )
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [*self.wrapper, *COMMAND, "serve", "--config", self.config, "--json", "--log", "warn"],
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = json.loads(self.process.stdout.readline())
        assert ready["event"] == "ready", ready
        self.port = {each["protocol"]: each["port"] for each in ready["listeners"]}

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
