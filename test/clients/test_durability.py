"""The system calls of a delivery: what was written is synced to the disk before the 250 goes out."""

import os
import re
import smtplib
import unittest

from mailwright import ALICE, BOB, Server

CALLS = "trace=openat,fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64,pwritev"
BODY = "the body to look for"
SUBJECT = "durable-subject"


class SyncBeforeReply(unittest.TestCase):
    def test_strace(self):
        with Server(["strace", "-D", "-f", "-y", "-s", "10000", "-e", CALLS, "-o", "/dev/null"]) as probe:
            log = os.path.join(probe.folder, "strace.log")
            probe.stop()
            probe.wrapper[-1] = log
            probe.start()
            with smtplib.SMTP("127.0.0.1", probe.port["smtp"]) as client:
                client.sendmail(BOB, [ALICE], f"Subject: {SUBJECT}\r\n\r\n{BODY}\r\n")
            probe.stop()
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        reply = next(i for i, line in enumerate(lines) if re.search(r'write.*"250 2\.0\.0', line))
        # A message is in the message log, and its subject in the facts that the database keeps.
        written = self.first(lines, 0, reply, rf"pwrite(v|64)\(.*messages.*\.log>.*{BODY}")
        written = self.end(lines, written, "pwrite(v|64)")
        if not any(re.search(r"openat\(.*messages.*\.log.*O_DSYNC", line) for line in lines[:written]):
            written = self.end(lines, self.first(lines, written, reply, r"fdatasync\(\d+<.*\.log>"), "fdatasync")
        for folder in ["/messages/000000", "/messages", "/data"]:
            self.end(lines, self.first(lines, written, reply, rf"fsync\(\d+<[^>]*{folder}>"), "fsync")
        # The commit's redo record is there, too, behind it.
        committed = self.first(lines, 0, reply, rf'pwrite(v|64)\(.*messages.*\.log>.*\{{\\"store\\":.*{SUBJECT}')
        self.assertGreater(committed, written, "the database referred to a message that was not on the disk")
        synced = self.first(lines, committed, reply, r"fdatasync\(\d+<.*messages.*\.log>")
        self.assertLess(self.end(lines, synced, "fdatasync"), reply, "the 250 went out before the sync had ended")

    def first(self, lines, start, end, pattern):
        found = next((i for i in range(start, end) if re.search(pattern, lines[i])), None)
        self.assertIsNotNone(found, f"before the 250 there was no {pattern}")
        return found

    def end(self, lines, begun, call):
        """The line on which a call ends."""
        if "unfinished" not in lines[begun]:
            return begun
        thread = lines[begun].split()[0]
        return next(
            i for i in range(begun, len(lines)) if re.search(rf"^{thread} .*{call} resumed.* = \d+", lines[i])
        )


if __name__ == "__main__":
    unittest.main()
