"""An aiosmtpd server that prints each message it takes as a line of JSON. Needs Debian's python3-aiosmtpd.

Arguments: port, then `lmtp`, `no-utf8`, `7bit` for one without 8BITMIME, or a certificate and its key, for STARTTLS with AUTH.
"""

import base64
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import AuthResult


class Printer:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 Who?"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        # Without 8BITMIME the content is text, of ASCII alone.
        content = envelope.content
        body = base64.b64encode(content if isinstance(content, bytes) else content.encode("ascii")).decode()
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "body": body}), flush=True)
        return "250 Kept"


class LmtpController(Controller):
    def factory(self):
        return LMTP(self.handler)


def check(server, session, envelope, mechanism, data):
    good = data.login == b"alice" and data.password == b"secret"
    return AuthResult(success=good, auth_data=data.login, handled=False)


port, *arguments = sys.argv[1:]
kind, options = Controller, {}
if arguments == ["lmtp"]:
    kind = LmtpController
elif arguments == ["no-utf8"]:
    options = {"enable_SMTPUTF8": False}
elif arguments == ["7bit"]:
    options = {"enable_SMTPUTF8": False, "decode_data": True}
elif len(arguments) == 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*arguments)
    options = {"tls_context": context, "authenticator": check, "auth_required": True}
controller = kind(Printer(), hostname="127.0.0.1", port=int(port), **options)
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
