"""Our client against Debian's Postfix and Exim, and against aiosmtpd: TLS, AUTH, DSN, BDAT and dots, LMTP."""

import base64
import email
import email.message
import email.policy
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from mailwright import ROOT
from peers import PASSWORD, Aiosmtpd, Exim, Peer, Postfix, certificate

# Complete, so that nobody has a reason to add anything behind what he puts on top.
HEADER = (
    b"Date: Tue, 1 Sep 2026 10:00:00 +0000\r\nMessage-ID: <1@c.test>\r\nFrom: alice@c.test\r\nTo: bob@a.test\r\n"
    b"Subject: from our client\r\n"
)
BODY = HEADER + b"\r\n.\r\n..two\r\n" + b"0123456789" * 90 + b"\r\nlast\r\n"
LARGE = HEADER + b"\r\n" + b"".join(b"%07d .\r\n.%06d\r\n" % (i, i) for i in range(60_000))


def send(connection, *messages):
    """What the client says of (envelope, body) pairs sent over one connection."""
    done = subprocess.run(
        [os.environ.get("MAILWRIGHT_NODE", "node"), ROOT / "test/clients/send.mjs"],
        input=json.dumps(
            {
                "connection": {"hostname": "client.test", "host": "127.0.0.1", **connection},
                "messages": [
                    {"envelope": envelope, "body": base64.b64encode(body).decode()} for envelope, body in messages
                ],
            }
        ),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def trusting(peer):
    return {"ca": pathlib.Path(peer.cert).read_text(encoding="ascii"), "serverName": "localhost"}


class ToMailServer:
    """What each of the mail servers must take from us."""

    kind = Peer

    @classmethod
    def setUpClass(cls):
        cls.peer = cls.kind()
        cls.addClassCleanup(cls.peer.close)

    def address(self, user):
        return f"{user}@{self.peer.domain}"

    def assertKept(self, user, count, body):
        kept = self.peer.wait_for_messages(user, count)
        self.assertTrue(kept[-1].replace(b"\r\n", b"\n").endswith(body.replace(b"\r\n", b"\n")), kept[-1][-300:])

    def test_in_clear_and_with_dots(self):
        for chunking in (True, False):
            before = len(self.peer.messages("bob"))
            envelope = {"from": "alice@c.test", "to": [self.address("bob"), self.address("nobody")]}
            said = send(
                {"port": self.peer.port, "tls": "none", "chunking": chunking},
                (envelope, BODY),
                ({**envelope, "from": ""}, LARGE),
            )
            self.assertIsNone(said["error"])
            self.assertIn("CHUNKING", said["extensions"])
            for outcome in said["outcomes"]:
                self.assertEqual([each["accepted"] for each in outcome], [True, False], outcome)
                self.assertEqual(outcome[1]["code"] // 100, 5)
            kept = self.peer.wait_for_messages("bob", before + 2)
            for body in (BODY, LARGE):
                plain = body.replace(b"\r\n", b"\n")
                self.assertTrue(any(each.replace(b"\r\n", b"\n").endswith(plain) for each in kept))

    def test_one_behind_another(self):
        before = len(self.peer.messages("bob"))
        bob, nobody = self.address("bob"), self.address("nobody")
        said = send(
            {"port": self.peer.port, "tls": "none", "chunking": False},
            *(
                ({"from": "alice@c.test", "to": [nobody] if i % 5 == 4 else [bob, nobody]}, HEADER + b"\r\n%d.\r\n" % i)
                for i in range(10)
            ),
        )
        self.assertIsNone(said["error"])
        self.assertEqual(said["followed"], 8)
        for i, outcome in enumerate(said["outcomes"]):
            accepted = [False] if i % 5 == 4 else [True, False]
            self.assertEqual([each["accepted"] for each in outcome], accepted, outcome)
        kept = self.peer.wait_for_messages("bob", before + 8)
        ends = sorted(each.rstrip().rsplit(b"\n", 1)[1] for each in kept if each.rstrip().endswith(b"."))
        self.assertEqual(ends, sorted(b"%d." % i for i in range(10) if i % 5 != 4))

    def test_tls_and_every_mechanism(self):
        for mechanism in self.mechanisms:
            before = len(self.peer.messages("bob"))
            said = send(
                {
                    "port": self.peer.port,
                    "tls": "required",
                    "tlsOptions": trusting(self.peer),
                    "credentials": {"user": self.login, "password": PASSWORD},
                    "mechanisms": [mechanism],
                },
                ({"from": self.address("alice"), "to": [self.address("bob")]}, BODY),
            )
            self.assertIsNone(said["error"], mechanism)
            self.assertTrue(said["secure"])
            self.assertTrue(said["outcomes"][0][0]["accepted"])
            self.assertKept("bob", before + 1, BODY)

    def test_refusals(self):
        wrong = {
            "port": self.peer.port,
            "tls": "required",
            "tlsOptions": trusting(self.peer),
            "credentials": {"user": self.login, "password": "wrong"},
        }
        self.assertRegex(send(wrong)["error"], r"^REFUSED: the peer refuses the login: 535 ")
        stranger = {**wrong, "credentials": None, "tlsOptions": {}}
        self.assertRegex(send(stranger)["error"], r"^TLS_HANDSHAKE: ")
        relay = send({"port": self.peer.port}, ({"from": "a@c.test", "to": ["x@elsewhere.test"]}, BODY))
        self.assertEqual(relay["outcomes"][0][0]["code"] // 100, 5)
        self.assertTrue(relay["secure"])

    def test_dsn(self):
        before = len(self.peer.messages("alice"))
        said = send(
            {"port": self.peer.port},
            (
                {
                    "from": self.address("alice"),
                    "to": [
                        {
                            "address": self.address("bob"),
                            "notify": ["SUCCESS"],
                            "originalRecipient": "rfc822;other+bob@c.test",
                        }
                    ],
                    "ret": "HDRS",
                    "envelopeId": "ours=1",
                },
                BODY,
            ),
        )
        self.assertTrue(said["outcomes"][0][0]["accepted"], said)
        report = email.message_from_bytes(self.peer.wait_for_messages("alice", before + 1)[-1])
        self.assertEqual(report.get_content_type(), "multipart/report")
        status = report.get_payload(1).as_string()
        self.assertRegex(status, r"(?i)original-envelope-id: ours(=|\+3D)1")
        self.assertIn("other+bob@c.test", status.replace("+2B", "+"))

    def test_smtputf8(self):
        before = len(self.peer.messages("bob"))
        body = HEADER + "X: Grüße\r\n\r\nä\r\n".encode()
        said = send(
            {"port": self.peer.port},
            ({"from": "jürgen@bücher.test", "to": [self.address("bob")], "body": "8BITMIME"}, body),
        )
        self.assertTrue(said["outcomes"][0][0]["accepted"], said)
        self.assertKept("bob", before + 1, body)


class ToPostfix(ToMailServer, unittest.TestCase):
    kind = Postfix
    mechanisms = ("PLAIN", "LOGIN", "SCRAM-SHA-256")
    login = "alice@postfix.test"


class ToExim(ToMailServer, unittest.TestCase):
    kind = Exim
    mechanisms = ("PLAIN", "LOGIN")
    login = "alice"


class ToAiosmtpd(unittest.TestCase):
    def serve(self, *arguments):
        peer = Aiosmtpd(*arguments)
        self.addCleanup(peer.close)
        return peer, {"port": peer.port}

    def test_tls_and_auth(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        cert, key = certificate(pathlib.Path(folder.name))
        peer, connection = self.serve(cert, key)
        trusted = {"ca": cert.read_text(encoding="ascii"), "serverName": "localhost"}
        for mechanism in ("PLAIN", "LOGIN"):
            said = send(
                {
                    **connection,
                    "tls": "required",
                    "tlsOptions": trusted,
                    "credentials": {"user": "alice", "password": PASSWORD},
                    "mechanisms": [mechanism],
                },
                ({"from": "alice@c.test", "to": ["bob@a.test", "nobody@a.test"]}, BODY),
                ({"from": "", "to": ["bob@a.test"]}, LARGE[:30_000] + b"\r\n"),
            )
            self.assertIsNone(said["error"])
            self.assertEqual([each["accepted"] for each in said["outcomes"][0]], [True, False])
            self.assertEqual(peer.message(), ("alice@c.test", ["bob@a.test"], BODY))
            self.assertEqual(peer.message()[2], LARGE[:30_000] + b"\r\n")

    def test_lmtp(self):
        peer, connection = self.serve("lmtp")
        said = send({**connection, "lmtp": True, "tls": "none"}, ({"from": "a@c.test", "to": ["bob@a.test"]}, BODY))
        self.assertTrue(said["outcomes"][0][0]["accepted"], said)
        self.assertEqual(peer.message(), ("a@c.test", ["bob@a.test"], BODY))

    def test_downgrade(self):
        """Without 8BITMIME an 8-bit message arrives in 7 bits, and Python reads the same in it (RFC 6152 section 3)."""
        peer, connection = self.serve("7bit")
        letter = email.message.EmailMessage(policy=email.policy.SMTP.clone(cte_type="8bit"))
        letter["From"], letter["To"], letter["Subject"] = "alice@c.test", "bob@a.test", "Grüße"
        letter.set_content("Grüße,\n.\n.. From here\nmit Leerzeichen \n", cte="8bit")
        letter.add_alternative("<p>Grüße</p>\n" * 40, subtype="html", cte="8bit")
        letter.add_attachment("текст " * 60 + "\n", cte="8bit", filename="a.txt")
        letter.add_attachment(bytes(range(256)) * 9, maintype="image", subtype="png", filename="b.png")
        body = letter.as_bytes()
        self.assertFalse(body.isascii())
        said = send(
            connection,
            ({"from": "alice@c.test", "to": ["bob@a.test"], "body": "8BITMIME"}, body),
            ({"from": "alice@c.test", "to": ["bob@a.test"], "body": "8BITMIME"}, b"X: \xfc\r\n\r\nx\r\n"),
        )
        self.assertNotIn("8BITMIME", said["extensions"])
        self.assertTrue(said["outcomes"][0][0]["accepted"], said)
        kept = peer.message()[2]
        self.assertTrue(kept.isascii())
        self.assertEqual(self.content(kept), self.content(body))
        self.assertEqual(
            [each["content-transfer-encoding"] for each in self.parts(kept)],
            ["quoted-printable", "quoted-printable", "base64", "base64"],
        )
        # A header could not be changed without changing what it says.
        refused = said["outcomes"][1][0]
        self.assertEqual((refused["stage"], refused["enhanced"]), ("local", "5.6.3"))

    def parts(self, octets):
        message = email.message_from_bytes(octets, policy=email.policy.default)
        return [part for part in message.walk() if not part.is_multipart()]

    def content(self, octets):
        message = email.message_from_bytes(octets, policy=email.policy.default)
        leaves = [(part.get_content_type(), part.get_filename(), part.get_content()) for part in self.parts(octets)]
        return message["subject"], [part.get_content_type() for part in message.walk()], leaves

    def test_what_it_does_not_offer(self):
        peer, connection = self.serve("no-utf8")
        asked = {"to": [{"address": "bob@a.test", "notify": ["NEVER"]}], "ret": "FULL", "envelopeId": "x"}
        said = send(
            connection,
            ({"from": "a@c.test", **asked}, BODY),
            ({"from": "ä@c.test", "to": ["bob@a.test"]}, BODY),
            ({"from": "a@c.test", "to": ["bob@bücher.test"]}, BODY),
        )
        self.assertTrue(said["outcomes"][0][0]["accepted"], said)
        self.assertEqual((said["outcomes"][1][0]["stage"], said["outcomes"][1][0]["enhanced"]), ("local", "5.6.7"))
        self.assertTrue(said["outcomes"][2][0]["accepted"])
        self.assertEqual(peer.message()[1], ["bob@a.test"])
        self.assertEqual(peer.message()[1], ["bob@xn--bcher-kva.test"])


if __name__ == "__main__":
    unittest.main()
