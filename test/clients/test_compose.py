"""Messages that the built library composes, read by Python's email package and by GMime."""

import base64
import email
import email.errors
import email.policy
import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
SAMPLES = FOLDER / "compose-samples.mjs"
FROM = ['Zoë "Z" Ämter', "zoe@xn--bcher-kva.example"]


def defects(message):
    """Those of every part, and of every field of its header."""
    found = []
    for part in message.walk():
        found += [(part.get_content_type(), defect) for defect in part.defects]
        for name, value in part.items():
            found += [(name, defect) for defect in getattr(value, "defects", [])]
    # what SMTPUTF8 is there for
    return [each for each in found if not isinstance(each[1], email.errors.NonASCIILocalPartDefect)]


def gmime_flags():
    """How a program is compiled with GMime; its packages are pkg-config and libgmime-3.0-dev."""
    asked = ["pkg-config", "--cflags", "--libs", "gmime-3.0"]
    return shlex.split(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


class Composed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        node = os.environ.get("MAILWRIGHT_NODE", "node")
        printed = subprocess.run([node, str(SAMPLES)], check=True, capture_output=True).stdout
        cls.samples = [json.loads(line) for line in printed.decode("utf-8").splitlines()]

    def each(self):
        self.assertGreater(len(self.samples), 20)
        for sample in self.samples:
            raw = base64.b64decode(sample["message"])
            message = email.message_from_string(raw.decode("utf-8"), policy=email.policy.SMTPUTF8)
            yield sample, raw, message

    def test_the_header(self):
        for sample, raw, message in self.each():
            self.assertEqual(defects(message), [], sample["subject"])
            self.assertEqual(message["subject"], sample["subject"])
            author = message["from"].addresses[0]
            self.assertEqual([author.display_name, author.addr_spec], sample.get("from", FROM))
            if "references" in sample:
                self.assertEqual(message["references"], sample["references"])
            header = raw.split(b"\r\n\r\n", 1)[0]
            for line in header.split(b"\r\n"):
                self.assertLessEqual(len(line), 78)

    def test_the_text(self):
        for sample, raw, message in self.each():
            for line in raw.split(b"\r\n"):
                self.assertLessEqual(len(line), 998)
                self.assertNotIn(b"\n", line)
            if "text" in sample:
                body = message.get_body(("plain",)).get_payload(decode=True).decode("utf-8")
                self.assertEqual(body.removesuffix("\r\n"), sample["text"].removesuffix("\r\n"))

    def test_attachments(self):
        for sample, _, message in self.each():
            if "filename" not in sample:
                continue
            self.assertEqual(message.get_content_type(), "multipart/mixed")
            [file] = message.iter_attachments()
            self.assertEqual(file.get_filename(), sample["filename"])
            content = base64.b64decode(sample["content"])
            self.assertEqual(file.get_payload(decode=True), content)
            related = message.get_body(("related",))
            [image] = [part for part in related.walk() if part["content-id"] == "<logo>"]
            self.assertEqual(image.get_payload(decode=True), content)
            self.assertIn("Grüße", message.get_body(("html",)).get_content())

    def test_reports(self):
        seen = set()
        for sample, _, message in self.each():
            if "report" not in sample:
                continue
            seen.add(sample["report"])
            self.assertEqual(message.get_content_type(), "multipart/report")
            self.assertEqual(message.get_param("report-type"), sample["report"])
            text, machine, returned = message.iter_parts()
            self.assertEqual(text.get_content().strip(), "See below.")
            self.assertEqual(machine.get_content_type(), f"message/{sample['report']}")
            self.assertEqual(returned.get_content()["subject"], "returned")
            if sample["report"] == "delivery-status":
                per_message, recipient = machine.get_payload()
                self.assertEqual(per_message["reporting-mta"], "dns; mx.example")
                self.assertEqual(recipient["final-recipient"], "rfc822; z@q.example")
                self.assertEqual(recipient["status"], "5.1.1")
        self.assertEqual(len(seen), 3)

    def test_gmime(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "gmime_read")
            source = str(FOLDER / "gmime_read.c")
            subprocess.run(["cc", "-O1", "-o", program, source, *gmime_flags()], check=True)
            for sample, raw, _ in self.each():
                printed = subprocess.run([program], input=raw, check=True, capture_output=True).stdout
                lines = [line.split("\t") for line in printed.decode("utf-8").splitlines()]
                self.assertEqual(lines[0], ["subject", sample["subject"]])
                # GMime shows domains in Unicode
                name, address = sample.get("from", FROM)
                self.assertEqual(lines[1], ["from", name, address.replace("xn--bcher-kva", "bücher")])
                parts = [line[1:] for line in lines if line[0] == "part"]
                if "text" in sample:
                    body = bytes.fromhex(parts[0][2]).decode("utf-8")
                    self.assertEqual(body.removesuffix("\r\n"), sample["text"].removesuffix("\r\n"))
                if "filename" in sample:
                    content = base64.b64decode(sample["content"]).hex()
                    self.assertEqual([part[1] for part in parts], ["", "", "logo.png", sample["filename"]])
                    self.assertEqual([part[2] for part in parts[2:]], [content, content])
                if "report" in sample:
                    self.assertEqual(parts[1][0], f"message/{sample['report']}")


if __name__ == "__main__":
    unittest.main()
