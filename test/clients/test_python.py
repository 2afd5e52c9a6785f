"""smtplib, imaplib and poplib of Python's standard library against the built server."""

import email.message
import email.policy
import imaplib
import poplib
import smtplib
import ssl
import unittest

from mailwright import ALICE, BOB, PASSWORD, Server

CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


def message(subject, body="Hello\r\n"):
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["From"] = BOB
    made["To"] = ALICE
    made["Subject"] = subject
    made.set_content(body)
    return made


class PythonClients(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def send(self, subject, body="Hello\r\n"):
        with smtplib.SMTP("127.0.0.1", self.server.port["smtp"]) as client:
            return client.send_message(message(subject, body))

    def test_smtplib(self):
        with smtplib.SMTP("127.0.0.1", self.server.port["submission"]) as client:
            client.starttls(context=CONTEXT)
            client.login(BOB, PASSWORD)
            self.assertEqual(client.send_message(message("one")), {})
            code, _ = client.mail(BOB)
            self.assertEqual(code, 250)
            code, text = client.rcpt("nobody@example.test")
            self.assertEqual((code, text[:5]), (550, b"5.1.1"))
            code, text = client.rcpt("someone@elsewhere.test")
            self.assertEqual((code, text[:5]), (550, b"5.7.1"))
        with smtplib.SMTP_SSL("127.0.0.1", self.server.port["submissions"], context=CONTEXT) as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login(BOB, "wrong")

    def test_imaplib(self):
        self.send("one")
        self.send("two", "Grüße\r\n.\r\n.. dots\r\n")
        client = imaplib.IMAP4("127.0.0.1", self.server.port["imap"])
        client.starttls(CONTEXT)
        client.login(ALICE, PASSWORD)
        self.assertEqual(client.select("INBOX"), ("OK", [b"2"]))
        self.assertEqual(client.search(None, "SUBJECT", "two"), ("OK", [b"2"]))
        _, data = client.fetch("2", "(RFC822)")
        read = email.message_from_bytes(data[0][1], policy=email.policy.default)
        self.assertEqual(read["Subject"], "two")
        self.assertEqual(read.get_content(), "Grüße\r\n.\r\n.. dots\r\n")
        self.assertEqual(client.store("1", "+FLAGS", r"(\Deleted)")[0], "OK")
        self.assertEqual(client.expunge(), ("OK", [b"1"]))
        self.assertEqual(client.append("Drafts", r"(\Draft)", None, b"Subject: draft\r\n\r\nx\r\n")[0], "OK")
        self.assertEqual(client.status("Drafts", "(MESSAGES)"), ("OK", [b'"Drafts" (MESSAGES 1)']))
        client.close()
        self.assertEqual(client.logout()[0], "BYE")

    def test_poplib(self):
        self.send("one")
        self.send("two")
        client = poplib.POP3("127.0.0.1", self.server.port["pop3"])
        client.stls(CONTEXT)
        client.user(ALICE)
        client.pass_(PASSWORD)
        count, size = client.stat()
        self.assertEqual(count, 2)
        self.assertIn(b"Subject: one", client.retr(1)[1])
        self.assertEqual(size, sum(int(line.split()[1]) for line in client.list()[1]))
        unique = [line.split()[1] for line in client.uidl()[1]]
        self.assertEqual(len(set(unique)), 2)
        self.assertNotIn(b"Hello", client.top(2, 0)[1])
        client.dele(1)
        client.quit()
        client = poplib.POP3_SSL("127.0.0.1", self.server.port["pop3s"], context=CONTEXT)
        client.user(ALICE)
        client.pass_(PASSWORD)
        self.assertEqual([line.split()[1] for line in client.uidl()[1]], unique[1:])
        client.quit()

    def test_stops_with_status_0_and_says_goodbye(self):
        client = imaplib.IMAP4("127.0.0.1", self.server.port["imap"])
        self.addCleanup(client.shutdown)
        client.login(ALICE, PASSWORD)
        self.server.process.terminate()
        self.assertRegex(client.readline(), rb"^\* BYE ")
        self.assertEqual(client.readline(), b"")
        self.assertEqual(self.server.process.wait(timeout=30), 0)
        self.server.process.stdout.close()


if __name__ == "__main__":
    unittest.main()
