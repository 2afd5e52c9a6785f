"""The system calls of a delivery: what was written is synced to the disk before the 250 goes out."""

import os
import re
import smtplib
import unittest

from mailwright import ALICE, BOB, Server

CALLS = "trace=openat,fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64"


class SyncBeforeReply(unittest.TestCase):
    def test_strace(self):
        with Server(["strace", "-f", "-y", "-s", "200", "-e", CALLS, "-o", "/dev/null"]) as probe:
            log = os.path.join(probe.folder, "strace.log")
            probe.stop()
            probe.wrapper[-1] = log
            probe.start()
            with smtplib.SMTP("127.0.0.1", probe.port["smtp"]) as client:
                client.sendmail(BOB, [ALICE], "Subject: durable\r\n\r\nthe body to look for\r\n")
            probe.stop()
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        go_ahead = next(i for i, line in enumerate(lines) if "354 " in line)
        reply = next(i for i, line in enumerate(lines) if i > go_ahead and re.search(r'"250 2\.0\.0', line))
        between = lines[go_ahead:reply]
        written = [i for i, line in enumerate(between) if "mail.db-wal" in line and re.search(r"p?write", line)]
        synced = [i for i, line in enumerate(between) if re.search(r"f(data)?sync\(\d+<.*mail\.db", line)]
        self.assertTrue(written, "nothing was written to the log of the database before the 250")
        self.assertTrue(synced, "nothing was synced before the 250")
        self.assertGreater(synced[-1], written[-1], "octets were written after the last sync and before the 250")


if __name__ == "__main__":
    unittest.main()
