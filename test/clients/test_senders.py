"""swaks and msmtp against the built server: pipelining, TLS, each mechanism, LMTP, PROXY, XCLIENT."""

import imaplib
import pathlib
import re
import ssl
import subprocess
import tempfile
import unittest

from mailwright import ALICE, BOB, PASSWORD, Server

PLAIN = ssl.create_default_context()
PLAIN.check_hostname = False
PLAIN.verify_mode = ssl.CERT_NONE
TEXT = "Date: Tue, 1 Sep 2026 10:00:00 +0000\r\nMessage-ID: <{0}@c.test>\r\nFrom: " + BOB + "\r\nSubject: {0}\r\n\r\nhi\r\n..\r\n.\r\n"


class Senders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(listen=["lmtp"], smtp={"xclient": ["loopback"]})
        cls.addClassCleanup(cls.server.close)

    def newest(self, server=None):
        """The newest message of alice."""
        with imaplib.IMAP4_SSL("127.0.0.1", (server or self.server).port["imaps"], ssl_context=PLAIN) as imap:
            imap.login(ALICE, PASSWORD)
            count = imap.select("INBOX", readonly=True)[1][0].decode()
            return imap.fetch(count, "(BODY.PEEK[])")[1][0][1]

    def swaks(self, listener, *arguments, server=None, to=ALICE, status=0):
        done = subprocess.run(
            ["swaks", "--server", "127.0.0.1", "--port", str((server or self.server).port[listener])]
            + ["--from", BOB, "--to", to, "--helo", "swaks.test", "--timeout", "20", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        return said

    def sent(self, name, listener, *arguments, **more):
        """Sends a message with swaks; what alice got of it."""
        data = TEXT.format(name).replace("\r\n", "\\n")
        said = self.swaks(listener, "--data", data.removesuffix(".\\n"), *arguments, **more)
        kept = self.newest(more.get("server"))
        self.assertIn(f"Subject: {name}\r\n".encode(), kept, said)
        return kept

    def test_pipelining(self):
        self.assertIn(b"hi\r\n..\r\n", self.sent("pipelined", "smtp", "--pipeline"))
        said = self.swaks("smtp", "--pipeline", to=f"nobody@example.test,{ALICE}")
        self.assertIn("<** 550 ", said)

    def test_tls(self):
        self.assertIn(b"with ESMTPS ", self.sent("starttls", "smtp", "--tls"))
        self.assertIn(b"with ESMTPSA ", self.sent("both", "submission", "--tls", *self.login("PLAIN")))
        self.assertIn(b"with ESMTPSA ", self.sent("implicit", "submissions", "--tls-on-connect", *self.login("PLAIN")))

    def login(self, mechanism, password=PASSWORD):
        return ["--auth", mechanism, "--auth-user", BOB, "--auth-password", password]

    def test_every_mechanism(self):
        offered = re.findall(r"<~  250.AUTH (.*)", self.swaks("submission", "--tls", "--quit-after", "EHLO"))[-1].split()
        self.assertEqual(offered, ["SCRAM-SHA-256", "PLAIN", "LOGIN"])
        for mechanism in ("PLAIN", "LOGIN"):
            kept = self.sent(f"auth-{mechanism}", "submission", "--tls", *self.login(mechanism))
            self.assertIn(b"with ESMTPSA ", kept)
            said = self.swaks("submission", "--tls", *self.login(mechanism, "wrong"), status=28)
            self.assertIn("<~* 535 5.7.8 ", said)

    def test_lmtp(self):
        self.assertIn(b"with LMTP", self.sent("lmtp", "lmtp", "--protocol", "LMTP"))
        said = self.swaks("lmtp", "--protocol", "LMTP", to=f"{ALICE},{BOB}")
        self.assertEqual(said.split("\n -> .\n")[1].count("<-  250 "), 2, said)

    def test_xclient(self):
        arguments = ["--xclient-addr", "192.0.2.9", "--xclient-name", "real.test", "--xclient-helo", "real.test"]
        self.assertIn(b"192.0.2.9", self.sent("xclient", "smtp", *arguments))

    def test_proxy(self):
        with Server(proxy={"smtp": ["loopback"]}) as server:
            for version in ("1", "2"):
                arguments = ["--proxy-version", version, "--proxy-family", {"1": "TCP4", "2": "AF_INET"}[version]]
                arguments += ["--proxy-source", "192.0.2.7", "--proxy-source-port", "4321"]
                arguments += ["--proxy-dest", "192.0.2.1", "--proxy-dest-port", "25"]
                if version == "2":
                    arguments += ["--proxy-protocol", "STREAM", "--proxy-command", "PROXY"]
                self.assertIn(b"192.0.2.7", self.sent(f"proxy-{version}", "smtp", *arguments, server=server))
            self.swaks("smtp", server=server, status=21)

    def test_msmtp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        config = pathlib.Path(folder.name) / "msmtprc"
        for listener, mechanism, starttls in [
            ("submission", "plain", "on"),
            ("submission", "login", "on"),
            ("submission", "scram-sha-256", "on"),
            ("submissions", "plain", "off"),
            ("submissions", "scram-sha-256", "off"),
        ]:
            name = f"msmtp-{listener}-{mechanism}"
            config.write_text(
                f"account default\nhost 127.0.0.1\nport {self.server.port[listener]}\nfrom {BOB}\nauth {mechanism}\n"
                f"user {BOB}\npassword {PASSWORD}\ntls on\ntls_starttls {starttls}\ntls_certcheck off\n"
            )
            config.chmod(0o600)
            done = subprocess.run(
                ["msmtp", f"--file={config}", ALICE],
                input=TEXT.format(name).encode(),
                capture_output=True,
                check=False,
            )
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            kept = self.newest()
            self.assertTrue(kept.endswith(b"\r\n\r\nhi\r\n..\r\n.\r\n"), kept)
            self.assertIn(f"Subject: {name}\r\n".encode(), kept)
        config.write_text(config.read_text().replace(f"password {PASSWORD}", "password wrong"))
        done = subprocess.run(["msmtp", f"--file={config}", ALICE], input=b"", capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("535 5.7.8 ", done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
