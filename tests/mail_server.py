"""A mail server on loopback, for the tests of both programs."""

import socketserver
from contextlib import suppress


class Smtp(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as is needed; what it got lies on the server."""

    def handle(self):
        self.say("220 test")
        with suppress(OSError):  # whoever called hung up
            while line := self.rfile.readline():
                word = line.decode().split()[0].upper()
                self.server.heard.append(word)
                if not self.answer(word):
                    return

    def answer(self, word):
        if word == "EHLO":
            self.say("250-test\r\n250-AUTH PLAIN\r\n250 STARTTLS")
        elif word == "STARTTLS":
            self.say("220 go on")
            self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = (self.connection.makefile(m) for m in ("rb", "wb"))
        elif word == "DATA":
            self.say("354 go on")
            lines = list(iter(self.rfile.readline, b".\r\n"))
            if self.server.status == 250:
                self.server.mails.append(b"".join(lines).decode())
            self.say(f"{self.server.status} said")
        elif word == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("235 yes" if word == "AUTH" else "250 ok")
        return True

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    tls = None
