"""The system calls of a delivery: what was written is synced to the disk before the 250 goes out."""

import os
import re
import smtplib
import unittest

from mailwright import ALICE, BOB, Server

CALLS = "trace=openat,fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64"
BODY = "the body to look for"


class SyncBeforeReply(unittest.TestCase):
    def test_strace(self):
        with Server(["strace", "-D", "-f", "-y", "-s", "10000", "-e", CALLS, "-o", "/dev/null"]) as probe:
            log = os.path.join(probe.folder, "strace.log")
            probe.stop()
            probe.wrapper[-1] = log
            probe.start()
            with smtplib.SMTP("127.0.0.1", probe.port["smtp"]) as client:
                client.sendmail(BOB, [ALICE], f"Subject: durable\r\n\r\n{BODY}\r\n")
            probe.stop()
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        reply = next(i for i, line in enumerate(lines) if re.search(r'write.*"250 2\.0\.0', line))
        written = [i for i, line in enumerate(lines[:reply]) if "mail.db-wal" in line and BODY in line]
        self.assertTrue(written, "the message was not written to the log of the database before the 250")
        synced = [line for line in lines[written[-1] : reply] if re.search(r"f(data)?sync\(\d+<.*mail\.db-wal", line)]
        self.assertTrue(synced, "the message was not synced before the 250")
        unfinished = [line for line in synced if "unfinished" in line]
        resumed = [line for line in lines[written[-1] : reply] if re.search(r"f(data)?sync resumed.*= 0", line)]
        self.assertEqual(len(unfinished), len(resumed), "the 250 went out before the sync had ended")


if __name__ == "__main__":
    unittest.main()
