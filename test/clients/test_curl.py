"""curl against the built server, over all three protocols."""

import os
import subprocess
import unittest

from mailwright import ALICE, BOB, PASSWORD, Server


class Curl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)

    def curl(self, *arguments, text=None):
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--insecure", "--max-time", "20", *arguments],
            input=text,
            capture_output=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def url(self, scheme, listener, path=""):
        return f"{scheme}://127.0.0.1:{self.server.port[listener]}{path}"

    def test_all_three(self):
        login = ["--user", f"{ALICE}:{PASSWORD}"]
        envelope = ["--mail-from", BOB, "--mail-rcpt", ALICE, "--upload-file", "-"]
        # Submission adds what a header lacks, so this one lacks nothing.
        header = b"Date: Tue, 1 Sep 2026 10:00:00 +0000\r\nFrom: bob@example.test\r\nMessage-ID: <1@example.test>\r\n"
        body = header + b"Subject: from curl\r\n\r\n" + b"0123456789" * 7 + b"\r\n.\r\n..two\r\n"
        self.curl(self.url("smtp", "smtp"), *envelope, text=body)
        by_bob = ["--user", f"{BOB}:{PASSWORD}", *envelope]
        self.curl(self.url("smtp", "submission"), "--ssl-reqd", *by_bob, text=body)
        self.curl(self.url("smtps", "submissions"), *by_bob, text=body)

        for scheme, listener, more in [("imap", "imap", ["--ssl-reqd"]), ("imaps", "imaps", []), ("imap", "imap", [])]:
            read = self.curl(self.url(scheme, listener, "/INBOX;MAILINDEX=1"), *login, *more)
            self.assertTrue(read.endswith(body), read)
        examined = self.curl(self.url("imaps", "imaps"), *login, "--request", "EXAMINE INBOX")
        self.assertIn(b"* 3 EXISTS", examined)
        found = self.curl(self.url("imaps", "imaps", "/INBOX?SUBJECT%20curl"), *login)
        self.assertIn(b"* SEARCH 1 2 3", found)

        for scheme, listener, more in [("pop3", "pop3", ["--ssl-reqd"]), ("pop3s", "pop3s", []), ("pop3", "pop3", [])]:
            listed = self.curl(self.url(scheme, listener, "/"), *login, *more)
            self.assertEqual(len(listed.splitlines()), 3)
            read = self.curl(self.url(scheme, listener, "/3"), *login, *more)
            self.assertTrue(read.endswith(body), read)
        file = os.path.join(self.server.folder, "sent.eml")
        with open(file, "wb") as out:
            out.write(body)
        self.curl(self.url("imaps", "imaps", "/Sent"), *login, "--upload-file", file)
        self.assertEqual(self.curl(self.url("imaps", "imaps", "/Sent;MAILINDEX=1"), *login), body)


if __name__ == "__main__":
    unittest.main()
