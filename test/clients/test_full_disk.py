"""A disk that really fills up: the sender gets 452, what was acknowledged stays, and mail flows again with room."""

import os
import poplib
import smtplib
import subprocess
import unittest

from mailwright import ALICE, BOB, PASSWORD, Server


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.stop()
        self.data = os.path.join(self.server.folder, "data")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", self.data], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.data], check=True)
        self.server.start()

    def send(self, number, size):
        body = "\r\n".join(["x" * 70] * (size // 72))
        with smtplib.SMTP("127.0.0.1", self.server.port["smtp"]) as client:
            client.sendmail(BOB, [ALICE], f"Subject: {number}\r\n\r\n{body}\r\n")

    def subjects(self):
        client = poplib.POP3("127.0.0.1", self.server.port["pop3"])
        client.user(ALICE)
        client.pass_(PASSWORD)
        count, _ = client.stat()
        found = []
        for number in range(1, count + 1):
            lines = client.top(number, 0)[1]
            found += [int(line.split()[1]) for line in lines if line.startswith(b"Subject:")]
        client.quit()
        return found

    def test_452_and_on(self):
        acknowledged = []
        refused = []
        for number in range(100):
            try:
                self.send(number, [2_000, 150_000][number % 2])
                acknowledged.append(number)
            except smtplib.SMTPResponseException as error:
                refused.append((error.smtp_code, error.smtp_error[:5]))
            except smtplib.SMTPRecipientsRefused as error:
                refused += [(code, text[:5]) for code, text in error.recipients.values()]
            if len(refused) == 5:
                break
        self.assertEqual(set(refused), {(452, b"4.3.1")})
        self.assertTrue(acknowledged)
        self.assertEqual(self.subjects(), acknowledged)
        subprocess.run(["mount", "-o", "remount,size=64M", self.data], check=True)
        self.send(1000, 150_000)
        self.assertEqual(self.subjects(), [*acknowledged, 1000])
        self.server.kill()
        self.server.start()
        self.assertEqual(self.subjects(), [*acknowledged, 1000])


if __name__ == "__main__":
    unittest.main()
