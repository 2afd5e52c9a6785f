"""mbsync keeps a Maildir and an IMAP mailbox of 1,000 messages the same, both ways."""

import imaplib
import os
import pathlib
import subprocess
import unittest

from mailwright import ALICE, PASSWORD, Server

CONFIG = """
IMAPAccount mailwright
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType {ssl}
CertificateFile {certificate}
AuthMechs {mechanisms}
PipelineDepth 50

IMAPStore remote
Account mailwright

MaildirStore local
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Both
Expunge Both
SyncState *
CopyArrivalDate yes
"""


class Mbsync(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.mail = pathlib.Path(self.server.folder, "mail")
        self.mail.mkdir()

    def sync(self, mechanisms="PLAIN LOGIN"):
        rc = os.path.join(self.server.folder, "mbsyncrc")
        with open(rc, "w", encoding="utf-8") as file:
            file.write(
                CONFIG.format(
                    port=self.server.port["imaps"],
                    user=ALICE,
                    password=PASSWORD,
                    folder=self.server.folder,
                    ssl="IMAPS",
                    mechanisms=mechanisms,
                    certificate=os.path.join(self.server.folder, "data/tls/development-cert.pem"),
                )
            )
        done = subprocess.run(
            ["mbsync", "--verbose", "--config", rc, "all"], capture_output=True, text=True, check=False, timeout=300
        )
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout + done.stderr

    def local(self, name="INBOX"):
        return sorted([*(self.mail / name / "cur").iterdir(), *(self.mail / name / "new").iterdir()])

    def test_scram_of_cyrus_sasl(self):
        said = self.sync("SCRAM-SHA-256")
        self.assertIn("Authenticating with SASL mechanism SCRAM-SHA-256", said)

    def test_both_ways(self):
        client = imaplib.IMAP4("127.0.0.1", self.server.port["imap"])
        client.login(ALICE, PASSWORD)
        for number in range(500):
            text = f"Message-ID: <remote.{number}@example.test>\r\nSubject: remote {number}\r\n\r\nbody\r\n"
            client.append("INBOX", r"(\Seen)" if number % 2 else None, None, text.encode())
        for sub in ["cur", "new", "tmp"]:
            (self.mail / "INBOX" / sub).mkdir(parents=True)
        for number in range(500):
            text = f"Message-ID: <local.{number}@example.test>\nSubject: local {number}\n\nbody\n"
            (self.mail / "INBOX" / "cur" / f"{1700000000 + number}.{number}.host:2,S").write_text(text)

        self.sync()
        self.assertEqual(len(self.local()), 1000)
        self.assertEqual(client.select("INBOX"), ("OK", [b"1000"]))
        before = {path.name for path in self.local()}
        again = self.sync()
        self.assertEqual({path.name for path in self.local()}, before)
        self.assertNotRegex(again, r"[+*#-][1-9]\d*(/\d+)?\s", again)

        client.store("1:10", "+FLAGS.SILENT", r"(\Deleted)")
        client.expunge()
        for path in self.local()[:5]:
            if "local" in path.read_text():
                path.unlink()
        left = len(self.local())
        self.sync()
        self.assertEqual(len(self.local()), left - 10)
        client.noop()
        self.assertEqual(client.select("INBOX"), ("OK", [str(left - 10).encode()]))
        client.logout()


if __name__ == "__main__":
    unittest.main()
