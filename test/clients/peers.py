"""Mail servers by others, each with a configuration of its own in a folder of its own, on loopback."""

import base64
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

CACHE = pathlib.Path(os.environ.get("MAILWRIGHT_CACHE", "/var/tmp/mailwright-peers"))
USERS = ("alice", "bob")
PASSWORD = "secret"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(ready, what, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = ready()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} s")


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def certificate(folder):
    """A certificate for localhost; the paths of it and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", cert, "-keyout", key],
        check=True,
        capture_output=True,
    )
    key.chmod(0o644)
    return cert, key


class Peer:
    """A server with a folder, a port, a certificate, and a Maildir for each user of `domain`."""

    domain = ""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="peer-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.cert, self.key = certificate(self.folder)
        try:
            self.start()
            wait_for(lambda: listens(self.port), "the port")
        except BaseException:
            self.close()
            raise

    def start(self):
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def messages(self, user):
        """The messages of a user, oldest first."""
        found = sorted((self.folder / "mail" / user / "new").glob("*"), key=lambda each: each.stat().st_mtime_ns)
        return [each.read_bytes() for each in found]

    def wait_for_messages(self, user, count):
        return wait_for(lambda: len(found := self.messages(user)) >= count and found, f"message {count} for {user}")

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postfix(Peer):
    """Debian's Postfix, with Cyrus SASL's own user database."""

    domain = "postfix.test"

    def start(self):
        user = pwd.getpwnam("postfix")
        for name in ("data", "mail"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, user.pw_uid, user.pw_gid)
        (self.folder / "spool").mkdir()
        sasl = self.folder / "sasl"
        sasl.mkdir()
        database = sasl / "users.db"
        (sasl / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {database}\n"
            "mech_list: PLAIN LOGIN SCRAM-SHA-256\n"
        )
        for name in USERS:
            subprocess.run(
                ["saslpasswd2", "-p", "-c", "-f", database, "-u", self.domain, name],
                input=PASSWORD.encode(),
                check=True,
            )
        database.chmod(0o644)
        mailboxes = " ".join(f"{{ {name}@{self.domain} = {name}/ }}" for name in USERS)
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.folder / "spool",
            "data_directory": self.folder / "data",
            "maillog_file": self.folder / "log",
            "maillog_file_prefixes": self.folder,
            "myhostname": f"mx.{self.domain}",
            "mydestination": "",
            "mynetworks": "127.0.0.2/32",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "virtual_mailbox_domains": self.domain,
            "virtual_mailbox_base": self.folder / "mail",
            "virtual_mailbox_maps": f"inline:{{ {mailboxes} }}",
            "virtual_uid_maps": f"static:{user.pw_uid}",
            "virtual_gid_maps": f"static:{user.pw_gid}",
            "virtual_minimum_uid": 1,
            "smtpd_tls_cert_file": self.cert,
            "smtpd_tls_key_file": self.key,
            "smtpd_tls_security_level": "may",
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_tls_auth_only": "yes",
            "smtpd_sasl_local_domain": self.domain,
            "cyrus_sasl_config_path": sasl,
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "smtputf8_enable": "yes",
        }
        (self.folder / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        services = [
            f"127.0.0.1:{self.port} inet n - n - - smtpd",
            "cleanup unix n - n - 0 cleanup",
            "qmgr unix n - n 300 1 qmgr",
            "tlsmgr unix - - n 1000? 1 tlsmgr",
            "rewrite unix - - n - - trivial-rewrite",
            "bounce unix - - n - 0 bounce",
            "defer unix - - n - 0 bounce",
            "trace unix - - n - 0 bounce",
            "verify unix - - n - 1 verify",
            "proxymap unix - - n - - proxymap",
            "error unix - - n - - error",
            "retry unix - - n - - error",
            "virtual unix - n n - - virtual",
            "anvil unix - - n - 1 anvil",
            "postlog unix-dgram n - n - 1 postlogd",
        ]
        (self.folder / "master.cf").write_text("\n".join(services) + "\n")
        subprocess.run(["postfix", "-c", self.folder, "start"], check=True, capture_output=True)

    def stop(self):
        subprocess.run(["postfix", "-c", self.folder, "stop"], check=False, capture_output=True)


def exim_binary():
    """Debian's Exim. It cannot be installed beside Postfix, so it is unpacked into a folder of our own."""
    installed = shutil.which("exim4")
    if installed:
        return installed
    binary = CACHE / "exim/usr/sbin/exim4"
    if not binary.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", "exim4-daemon-light"], cwd=CACHE, check=True, capture_output=True)
        package = next(CACHE.glob("exim4-daemon-light_*.deb"))
        subprocess.run(["dpkg", "-x", package, CACHE / "exim"], check=True)
    return str(binary)


class Exim(Peer):
    """Debian's Exim in the foreground."""

    domain = "exim.test"

    def start(self):
        binary = exim_binary()
        try:
            pwd.getpwnam("Debian-exim")
        except KeyError:
            subprocess.run(["useradd", "--system", "--user-group", "Debian-exim"], check=True)
        user = pwd.getpwnam("Debian-exim")
        for name in ("mail", "spool", "log"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, user.pw_uid, user.pw_gid)
        config = self.folder / "exim.conf"
        config.write_text(
            f"""
primary_hostname = mx.{self.domain}
exim_path = {binary}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%slog
pid_file_path = {self.folder}/exim.pid
keep_environment =
add_environment = PATH=/usr/bin:/bin
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
tls_advertise_hosts = *
tls_certificate = {self.cert}
tls_privatekey = {self.key}
auth_advertise_hosts = *
dsn_advertise_hosts = *
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
acl_smtp_rcpt = recipient
acl_smtp_data = accept
never_users =

begin acl
recipient:
  accept domains = {self.domain}
         local_parts = {" : ".join(USERS)}
  accept authenticated = *
  deny message = relay not permitted

begin routers
users:
  driver = accept
  domains = {self.domain}
  local_parts = {" : ".join(USERS)}
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = {self.folder}/mail/$local_part_data
  maildir_format
  create_directory
  user = Debian-exim
  group = Debian-exim
  delivery_date_add
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if eq{{$auth3}}{{{PASSWORD}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}{{{PASSWORD}}}}}
  server_set_id = $auth1
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""
        )
        config.chmod(0o644)
        self.process = subprocess.Popen(
            [binary, "-C", config, "-bdf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self):
        process = getattr(self, "process", None)
        if process is not None:
            process.terminate()
            process.wait(timeout=20)


class Aiosmtpd:
    """aiosmtpd under Debian's Python, which alone has it. `arguments` as its script takes them."""

    def __init__(self, *arguments):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["/usr/bin/python3", pathlib.Path(__file__).with_name("aiosmtpd_server.py"), str(self.port), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def message(self):
        """The next message: sender, recipients, octets."""
        kept = json.loads(self.process.stdout.readline())
        return kept["from"], kept["to"], base64.b64decode(kept["body"])

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()
